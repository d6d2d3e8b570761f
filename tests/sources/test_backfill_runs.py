"""Backfills beside live runs: tried again, kept, and in nobody's way."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from access.models import Role
from sources import backfills, retention, runs, saving, scheduling
from sources.models import Run, Source, Status, Trigger
from sources.run_pages import child_statuses
from tests.people import browser, person

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)
STATE = {"cursor": "2026-11-20"}


@pytest.fixture
def source() -> Source:
    extract = {"kind": "http", "url": "https://example.org/a", "cursor": {"field": "at", "parameter": "since"}}
    made = Source(name="prices")
    load = {"kind": "upsert", "key": ["id"]}
    saving.save(made, {"version": 1, "extract": extract, "load": load, "schedule": {"every_seconds": 60}})
    Source.objects.update(state=STATE)
    return made


@pytest.fixture
def backfill(source: Source) -> Run:
    """Of three days, of which the first went well, the second failed and the third was cancelled."""
    parent = backfills.begin(source, starts_at=START, ends_at=START + 3 * DAY, step=DAY)
    for status in (Status.SUCCESS, Status.FAILED, Status.CANCELLED):
        end_next(status)
    assert backfills.settle() == 1
    parent.refresh_from_db()
    assert parent.status == Status.FAILED
    return parent


def end_next(status: Status) -> datetime | None:
    """The beginning of its window."""
    run = runs.claim()
    assert run is not None
    with transaction.atomic():
        assert runs.finish(run, status, counts={"inserted": 1})
        runs.note_outcome(run, succeeded=status is Status.SUCCESS)
    return run.window_start


def test_windows_are_pulled_from_the_oldest_on(source: Source) -> None:
    backfills.begin(source, starts_at=START, ends_at=START + 5 * DAY, step=DAY)
    assert [end_next(Status.SUCCESS) for _ in range(5)] == [START + day * DAY for day in range(5)]


def test_a_live_run_goes_first(source: Source) -> None:
    backfills.begin(source, starts_at=START, ends_at=START + 2 * DAY, step=DAY)
    assert end_next(Status.SUCCESS) == START
    runs.request(source, Trigger.API)
    assert [end_next(Status.SUCCESS) for _ in range(2)] == [None, START + DAY]


def test_a_backfill_is_tried_again_where_it_failed(backfill: Run) -> None:
    assert backfills.retry(backfill) == backfill
    assert Run.objects.get(pk=backfill.pk).status == Status.PENDING
    assert [end_next(Status.SUCCESS) for _ in range(2)] == [START + DAY, START + 2 * DAY]
    assert (runs.claim(), backfills.settle()) == (None, 1)
    done = Run.objects.get(pk=backfill.pk)
    assert (done.status, done.counts) == (Status.SUCCESS, {"inserted": 3})


def test_a_window_is_tried_again_once_and_its_backfill_ends_anew(backfill: Run) -> None:
    failed = backfill.children.get(status=Status.FAILED)
    again = backfills.retry(failed, "ann")
    assert (again.parent, again.trigger, again.triggered_by) == (backfill, Trigger.RETRY, "ann")
    with pytest.raises(runs.AlreadyRunning):
        backfills.retry(failed)
    assert end_next(Status.SUCCESS) == START + DAY
    backfills.settle()
    assert Run.objects.get(pk=backfill.pk).status == Status.CANCELLED  # as its last window


def test_what_is_tried_again_keeps_no_live_run_waiting(backfill: Run, source: Source) -> None:
    backfills.retry(backfill)
    runs.request(source, Trigger.API)
    Run.objects.filter(window_start=None).delete()
    Source.objects.update(next_run_at=timezone.now())
    assert scheduling.tick() == 1


def test_windows_leave_state_and_failures_of_the_source_alone(backfill: Run) -> None:
    source = Source.objects.get()
    assert (source.state, source.failures) == (STATE, 0)


def test_over_the_api_a_backfill_is_tried_again_as_a_whole(backfill: Run, api: Client, redis_clean: object) -> None:
    answer = api.post(f"/api/runs/{backfill.pk}/retry/")
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (202, str(backfill.pk), "pending")
    assert backfill.children.filter(status=Status.PENDING).count() == 2
    assert api.post(f"/api/runs/{backfill.pk}/retry/").status_code == 409


def test_on_its_page_stand_its_windows_as_they_are_now(backfill: Run, redis_clean: object) -> None:
    client = browser(person(Role.OPERATOR))
    page = client.get(f"/sources/runs/{backfill.pk}/").content.decode()
    assert f"/api/runs/{backfill.pk}/retry/" in page
    backfills.retry(backfill)
    for _ in range(2):
        end_next(Status.SUCCESS)
    assert child_statuses(backfill) == [{"status": "success", "count": 3}]


def test_a_backfill_is_kept_as_long_as_one_of_its_windows(backfill: Run) -> None:
    later = timezone.now() + timedelta(days=400)
    last = backfill.children.order_by("window_start").last()
    assert last is not None
    Run.objects.filter(pk=last.pk).update(ended_at=later)
    retention.prune(later)
    kept = set(Run.objects.values_list("pk", flat=True))
    assert {backfill.pk, last.pk} <= kept
    assert len(kept) < 4


def test_only_what_may_start_calls_for_a_worker(source: Source) -> None:
    backfills.begin(source, starts_at=START, ends_at=START + 2 * DAY, step=DAY)
    now = timezone.now()
    assert runs.startable(now).count() == 2
    Run.objects.exclude(parent=None).update(not_before=now + DAY)
    assert runs.startable(now).count() == 0
