"""The life of runs, without pulling anything."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from ingest.flush import flush
from ingest.models import Event
from sources import backfills, runs, saving, scheduling
from sources.errors import BadDefinition
from sources.execution import tell_of_lost
from sources.models import Run, Source, Status, Trigger

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def make(name: str = "s", every_seconds: float | None = None, **extract: object) -> Source:
    document = {
        "version": 1,
        "extract": {"kind": "http", "url": "https://example.org/a.json", **extract},
        "load": {"kind": "upsert", "key": ["id"]},
    }
    if every_seconds is not None:
        document["schedule"] = {"every_seconds": every_seconds}
    source = Source(name=name)
    saving.save(source, document)
    return source


def claimed(now: datetime = NOW) -> Run:
    run = runs.claim(now)
    assert run is not None
    return run


def test_a_source_has_one_run_at_a_time() -> None:
    source = make()
    runs.request(source, Trigger.API)
    with pytest.raises(runs.AlreadyRunning, match="pending or running"):
        runs.request(source, Trigger.HAND)
    run = claimed()
    assert (run.status, run.attempt) == (Status.RUNNING, 1)
    assert runs.claim(NOW) is None
    assert runs.finish(run, Status.SUCCESS, now=NOW)
    runs.request(source, Trigger.HAND)


def test_the_run_that_waited_longest_is_first() -> None:
    made = [runs.request(make(f"s{number}"), Trigger.API) for number in range(3)]
    assert [claimed().pk for _ in made] == [run.pk for run in made]


def test_no_run_is_claimed_twice_however_many_workers_ask() -> None:
    made = {runs.request(make(f"s{number}"), Trigger.API).pk for number in range(20)}

    def take() -> list[UUID]:
        try:
            found = []
            while (run := runs.claim(NOW)) is not None:
                found.append(run.pk)
            return found
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = [pk for part in [pool.submit(take) for _ in range(4)] for pk in part.result()]
    assert len(found) == 20
    assert set(found) == made


def test_a_run_whose_worker_died_is_begun_again_and_given_up_in_the_end() -> None:
    runs.request(make(), Trigger.API)
    lost = timedelta(seconds=runs.LOST_SECONDS + 1)
    now = NOW
    for attempt in range(1, runs.MOST_ATTEMPTS + 1):
        run = claimed(now)
        assert run.attempt == attempt
        assert runs.reap(now + lost / 2) == 0
        now += lost
        assert runs.reap(now) == 1
    run.refresh_from_db()
    assert (run.status, run.error, run.ended_at) == (Status.FAILED, "worker_lost", now)
    assert runs.claim(now) is None


def test_lost_workers_count_as_failures_and_raise_the_alert(redis_clean: object) -> None:
    source = make()
    Source.objects.update(failures=2)
    runs.request(source, Trigger.API)
    now = NOW
    for _ in range(runs.MOST_ATTEMPTS):
        claimed(now)
        now += timedelta(seconds=runs.LOST_SECONDS + 1)
        assert runs.reap(now, tell_of_lost) == 1
    flush()
    source.refresh_from_db()
    alert = Event.objects.get(stream__name="alerts")
    assert (source.failures, alert.type, alert.payload["error"]) == (3, "source.failing", "worker_lost")


def test_rate_limits_are_no_lost_workers() -> None:
    runs.request(make(), Trigger.API)
    for _ in range(runs.MOST_ATTEMPTS):
        runs.postpone(claimed(), NOW, "a rate limit")
    assert claimed().attempt == 1
    assert runs.reap(NOW + timedelta(seconds=runs.LOST_SECONDS + 1)) == 1
    assert claimed().attempt == 2


def test_an_attempt_begins_with_nothing_of_the_one_before() -> None:
    runs.request(make(), Trigger.API)
    progress = {"counts": {"inserted": 3}, "bytes": 5, "pages": 1, "statuses": {"200": 1}, "rejected": [{}]}
    assert runs.beat(claimed(), progress, NOW)
    runs.reap(NOW + timedelta(seconds=runs.LOST_SECONDS + 1))
    run = claimed()
    run.refresh_from_db()
    assert (run.counts, run.bytes, run.pages, run.statuses, run.rejected) == ({}, 0, 0, {}, [])


def test_a_worker_that_was_given_up_ends_nothing() -> None:
    runs.request(make(), Trigger.API)
    slow = claimed()
    later = NOW + timedelta(seconds=runs.LOST_SECONDS + 1)
    runs.reap(later)
    quick = claimed(later)
    assert not runs.beat(slow, {})
    assert not runs.finish(slow, Status.SUCCESS)
    assert runs.beat(quick, {"pages": 3})
    quick.refresh_from_db()
    assert (quick.status, quick.pages) == (Status.RUNNING, 3)


def test_cancelling_ends_a_pending_run_at_once_and_a_running_one_at_its_next_beat() -> None:
    pending = runs.request(make("a"), Trigger.API)
    assert runs.cancel(pending).status == Status.CANCELLED
    runs.request(make("b"), Trigger.API)
    running = claimed()
    assert runs.beat(running, {})
    assert runs.cancel(running).status == Status.RUNNING
    assert not runs.beat(running, {})


def test_a_run_that_was_postponed_waits_without_a_worker() -> None:
    runs.request(make(), Trigger.API)
    runs.postpone(claimed(), NOW + timedelta(seconds=30), "a rate limit")
    assert runs.claim(NOW + timedelta(seconds=29)) is None
    assert claimed(NOW + timedelta(seconds=30)).attempt == 1, "no worker was lost"


def test_what_is_due_is_started_once_and_comes_again_on_its_grid() -> None:
    source = make("due", every_seconds=60)
    make("asked for only")
    make("off", every_seconds=60)
    Source.objects.filter(name="off").update(active=False)
    Source.objects.filter(name="due").update(next_run_at=NOW)
    assert scheduling.tick(NOW) == 1
    source.refresh_from_db()
    assert source.next_run_at is not None
    assert NOW < source.next_run_at <= NOW + timedelta(seconds=60)
    assert scheduling.tick(NOW) == 0
    assert scheduling.tick(source.next_run_at) == 0, "one is pending still"
    runs.finish(claimed(), Status.SUCCESS)
    source.refresh_from_db()
    assert source.next_run_at is not None
    assert scheduling.tick(source.next_run_at) == 1


def test_two_ticks_at_once_start_each_source_once() -> None:
    for number in range(40):
        make(f"s{number}", every_seconds=60)
    Source.objects.update(next_run_at=NOW)

    def tick() -> int:
        try:
            return scheduling.tick(NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        made = sum(future.result() for future in [pool.submit(tick) for _ in range(3)])
    assert made == Run.objects.count() == 40


def test_a_backfill_is_a_run_for_each_window_and_ends_with_the_last() -> None:
    source = make(cursor={"field": "at", "parameter": "since"})
    day = timedelta(days=1)
    parent = backfills.begin(source, starts_at=NOW - 2.5 * day, ends_at=NOW, step=day)
    windows = [(run.window_start, run.window_end) for run in parent.children.order_by("window_start")]
    assert windows == [(NOW - 2.5 * day, NOW - 1.5 * day), (NOW - 1.5 * day, NOW - 0.5 * day), (NOW - 0.5 * day, NOW)]
    live = runs.request(source, Trigger.HAND)
    assert claimed().pk == live.pk, "what is asked for now goes first"
    runs.finish(live_run := Run.objects.get(pk=live.pk), Status.SUCCESS)
    assert live_run.parent is None
    for status in (Status.SUCCESS, Status.FAILED, Status.SUCCESS):
        assert backfills.settle() == 0
        runs.finish(claimed(), status, counts={"inserted": 2})
    assert backfills.settle() == 1
    parent.refresh_from_db()
    assert (parent.status, parent.counts) == (Status.FAILED, {"inserted": 6})


def test_a_backfill_needs_a_cursor() -> None:
    with pytest.raises(BadDefinition, match="cursor"):
        backfills.begin(make(), starts_at=NOW, ends_at=NOW + timedelta(days=1), step=timedelta(hours=1))
