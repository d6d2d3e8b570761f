"""Who may load: the worker that carries out the run, as long as it does."""

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from pytest_django import Settings

from ingest import buffer
from sources import runs, saving
from sources.errors import Cancelled
from sources.execution import definition_of
from sources.load.intake import Intake
from sources.loading import Loader
from sources.models import Record, Run, Source, Status, Trigger
from sources.tally import Tally

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def begun() -> Run:
    source = Source(name="prices")
    extract = {"kind": "http", "url": "https://example.org/a.json"}
    saving.save(source, {"version": 1, "extract": extract, "load": {"kind": "upsert", "key": ["id"]}})
    runs.request(source, Trigger.API)
    return claimed(NOW)


def claimed(now: datetime) -> Run:
    run = runs.claim(now)
    assert run is not None
    return run


def load(run: Run, rows: list[dict[str, Any]]) -> None:
    with Loader(definition_of(run), run, Tally(), Event()) as loader:
        for batch in loader.batches(iter(rows)):
            loader.load(batch)


def test_a_worker_that_was_given_up_and_comes_back_changes_no_record() -> None:
    slow = begun()
    later = NOW + timedelta(seconds=runs.LOST_SECONDS + 1)
    runs.reap(later)
    quick = claimed(later)
    load(quick, [{"id": 1, "price": "new"}])
    with pytest.raises(Cancelled):
        load(slow, [{"id": 1, "price": "old"}, {"id": 2}])
    assert list(Record.objects.values_list("value", flat=True)) == [{"id": 1, "price": "new"}]
    assert runs.finish(quick, Status.SUCCESS)
    with pytest.raises(Cancelled):
        load(quick, [{"id": 2}])


def test_a_cancelled_run_does_not_wait_for_room_in_the_buffer(settings: Settings) -> None:
    ended = Event()
    intake = Intake("orders", 60.0, ended)
    stream = intake.stream()
    settings.BUFFER_MAX_BYTES = 1
    settings.BUFFER_SHARDS = 1
    event = (None, None, None, b"{}")
    intake.push(stream, [event], 2)
    ended.set()
    with pytest.raises(Cancelled):
        intake.push(stream, [event], 2)
    assert buffer.size().events == 1
