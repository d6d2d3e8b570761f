"""What a change of a source keeps, and what it begins anew."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from sources import runs, saving
from sources.errors import Cancelled, SourceGone
from sources.execution import definition_of
from sources.loading import Loader
from sources.models import Record, Run, Source, SourceVersion, Trigger
from sources.records import content, upsert
from sources.runlog import Log
from sources.tally import Tally
from tests.sources.kills.standing import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

LATER = datetime(2030, 1, 1, tzinfo=UTC)
CURSOR = {"field": "at", "parameter": "since"}
STATE = {"cursor": 7, "etag": '"x"', "last_modified": None, "validated_request": "00"}


def document(every_seconds: float = 60, **changed: Any) -> dict[str, Any]:
    extract = {"kind": "http", "url": "https://example.org/a.json", "cursor": CURSOR, **changed.pop("extract", {})}
    load = {"kind": "upsert", "key": ["id"]}
    return {"version": 1, "extract": extract, "load": load, "schedule": {"every_seconds": every_seconds}, **changed}


@pytest.fixture
def source() -> Source:
    """With a state, and a next run to come."""
    made = Source(name="prices")
    saving.save(made, document())
    Source.objects.update(state=STATE, next_run_at=LATER)
    return Source.objects.get()


def changed(source: Source, **changes: Any) -> Source:
    saving.save(source, document(**changes))
    return Source.objects.get()


def test_what_is_saved_as_it_was_stays_as_it_was(source: Source) -> None:
    same = changed(source)
    assert (same.version, same.state, same.next_run_at) == (1, STATE, LATER)


def test_another_schedule_begins_at_once(source: Source) -> None:
    before = timezone.now()
    found = changed(source, every_seconds=3600)
    assert found.next_run_at is not None
    assert before <= found.next_run_at <= timezone.now()
    assert (found.version, found.state) == (2, STATE)


def test_a_source_that_is_taken_up_again_runs_at_once(source: Source) -> None:
    source.active = False
    assert changed(source).next_run_at is None
    source.active = True
    assert changed(source).next_run_at is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"map": [{"to": "id", "from": "number"}]},
        {"filter": {"field": "id", "op": "gt", "value": 3}},
        {"decode": {"path": "rows"}},
        {"extract": {"headers": {"Accept": "text/csv"}}},
    ],
)
def test_an_answer_that_would_be_read_otherwise_is_asked_for_again(source: Source, changes: dict[str, Any]) -> None:
    found = changed(source, **changes)
    assert (found.state, found.next_run_at) == ({"cursor": 7}, LATER)


@pytest.mark.parametrize(
    "extract",
    [
        {"url": "https://example.org/b.json"},
        {"query": {"all": "yes"}},
        {"method": "POST"},
        {"cursor": {"field": "id", "parameter": "since"}},
        {"cursor": None},
    ],
)
def test_who_asks_for_something_else_begins_anew(source: Source, extract: dict[str, Any]) -> None:
    assert changed(source, extract=extract).state == {}


def test_what_runs_write_is_not_written_over(source: Source) -> None:
    Source.objects.update(state={"cursor": 9}, failures=2)
    source.active = False
    changed(source, every_seconds=90)
    found = Source.objects.get()
    assert (found.state, found.failures, found.active) == ({"cursor": 9}, 2, False)


def test_two_changes_at_once_are_two_versions(source: Source) -> None:
    other = Source.objects.get()
    changed(source, every_seconds=90)
    changed(other, every_seconds=120)
    assert list(SourceVersion.objects.values_list("version", flat=True)) == [3, 2, 1]
    assert Source.objects.get().definition["schedule"] == {"every_seconds": 120}


def test_what_a_request_does_not_name_stays_what_another_made_of_it(source: Source, api: Client) -> None:
    changed(source, every_seconds=90)
    answer = api.patch(f"/api/data_sources/{source.pk}/", {"active": False}, content_type="application/json")
    assert (answer.status_code, answer.json()["definition"]["schedule"]["every_seconds"]) == (200, 90)


def test_starting_over_forgets_the_state(source: Source, api: Client) -> None:
    answer = api.post(f"/api/data_sources/{source.pk}/start-over/")
    assert (answer.status_code, answer.json()["state"]) == (200, {})
    assert Source.objects.get().state == {}


def test_nobody_starts_over_under_a_run(source: Source, api: Client) -> None:
    runs.request(source, Trigger.API)
    answer = api.post(f"/api/data_sources/{source.pk}/start-over/")
    assert (answer.status_code, answer.json()["error"]) == (409, "already_running")
    assert Source.objects.get().state == STATE


def test_a_run_under_a_deleted_source_leaves_no_record(source: Source) -> None:
    runs.request(source, Trigger.API)
    run = runs.claim(timezone.now() + timedelta(seconds=1))
    assert run is not None
    with Loader(definition_of(run), run, Tally(), Event()) as loader:
        first, second = (next(loader.batches(iter([{"id": number}]))) for number in (1, 2))
        loader.load(first)
        saving.delete(source)
        with pytest.raises(Cancelled):
            loader.load(second)
    Log(run).warning("Cancelled.")  # what it has to say interests nobody any more
    assert (Source.objects.count(), Run.objects.count(), Record.objects.count()) == (0, 0, 0)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
        return bool(cursor.rowcount)


def delete_in_thread() -> None:
    try:
        saving.delete(Source.objects.get())
    finally:
        connection.close()


def test_a_deletion_waits_for_records_that_are_being_written(source: Source) -> None:
    given = {"source": source, "key": "1", "value": content({"n": 1}), "starts_at": None, "ends_at": None}
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            upsert([given], timezone.now())
            deletion = thread.submit(delete_in_thread)
            until(somebody_waits, "the deletion waits")
        deletion.result(10)
    assert Record.objects.count() == 0
    with pytest.raises(SourceGone):
        upsert([given], timezone.now())
