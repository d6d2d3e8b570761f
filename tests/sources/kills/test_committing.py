"""A worker that dies at the end of its run, before or after the commit."""

from typing import Any

import pytest
from django.conf import settings

from ingest import buffer
from sources.models import Run, Source, Status
from tests.sources.kills.stage import Stage, reap, records, rows, state, stored, told
from tests.sources.kills.standing import holding, paused, wait_for_lock
from tests.sources.provider import Provider, data

pytestmark = pytest.mark.stack

UPSERT = {"kind": "upsert", "key": ["id"]}
APPEND = {"kind": "append", "stream": "orders", "key": ["id"]}
CURSOR = {"cursor": {"field": "at", "parameter": "since"}}
ROWS = rows(1, 50)


def small(stage: Stage, provider: Provider, load: dict[str, Any], **document: Any) -> Source:
    return stage.source(provider.on("/", data(ROWS, ETag='"x"')), load, extract=CURSOR, **document)


def test_before_the_last_commit(stage: Stage, provider: Provider) -> None:
    source = small(stage, provider, UPSERT)
    run = stage.request(source)
    with holding("SELECT FROM source FOR UPDATE"):
        worker = stage.nursery.worker()
        wait_for_lock('"source"', "FOR NO KEY UPDATE")
        worker.kill()
    stage.lose(worker)
    assert (records(source), state(source), told(source)) == ([], {}, {})
    run = stage.resume(run)
    assert (run.status, run.counts["inserted"], run.attempt) == (Status.SUCCESS, 50, 2)
    assert (records(source), told(source)) == (ROWS, {"inserted": 50})
    assert state(source) == {"cursor": 50, "etag": '"x"'}


def test_after_the_last_commit_and_before_anybody_was_told(stage: Stage, provider: Provider) -> None:
    """Then nobody ever is; the records are what counts."""
    source = small(stage, provider, UPSERT)
    stage.run(stage.source(provider.on("/other", data(rows(1, 1))), UPSERT, name="other"))
    with paused(settings.BUFFER_REDIS_URL, "evalsha") as wait:
        run, worker = stage.begin(source)
        wait()
        assert Run.objects.get(pk=run.pk).status == Status.SUCCESS
        worker.kill()
    stage.lose(worker)
    assert reap() == 0
    run.refresh_from_db()
    assert (run.status, run.attempt, run.counts["inserted"]) == (Status.SUCCESS, 1, 50)
    assert (records(source), state(source)) == (ROWS, {"cursor": 50, "etag": '"x"'})
    assert told(source) == {}
    again = stage.run(source)
    assert (again.counts["unchanged"], told(source), records(source)) == (50, {}, ROWS)


def test_before_events_are_in_the_buffer(stage: Stage, provider: Provider) -> None:
    source = small(stage, provider, APPEND)
    with paused(settings.BUFFER_REDIS_URL, "evalsha") as wait:
        run, worker = stage.begin(source)
        wait()
        worker.kill()
    stage.lose(worker)
    assert (stored("orders"), state(source)) == ([], {})
    run = stage.resume(run)
    assert (run.status, run.counts["appended"], stored("orders")) == (Status.SUCCESS, 50, ROWS)
    assert state(source) == {"cursor": 50, "etag": '"x"'}


@pytest.mark.parametrize("flushed", [True, False], ids=["stored at once", "stored later"])
def test_with_events_in_the_buffer_and_before_the_commit(stage: Stage, provider: Provider, flushed: bool) -> None:
    source = small(stage, provider, APPEND)
    run = stage.request(source)
    with holding("SELECT FROM source FOR UPDATE"):
        worker = stage.nursery.worker()
        wait_for_lock('"source"', "FOR NO KEY UPDATE")
        worker.kill()
    stage.lose(worker)
    assert (buffer.size().events, state(source)) == (50, {})
    if flushed:
        assert stored("orders") == ROWS
    run = stage.resume(run)
    assert (run.status, run.counts["appended"], run.attempt) == (Status.SUCCESS, 50, 2)
    assert buffer.size().events == (50 if flushed else 100)
    assert (stored("orders"), state(source)) == (ROWS, {"cursor": 50, "etag": '"x"'})


def test_after_the_commit_and_before_rows_are_marked_as_seen(stage: Stage, provider: Provider) -> None:
    """The next run lets them through again, to no effect; and the one after that leaves them out."""
    source = small(stage, provider, UPSERT, dedupe={"by": "key", "key": ["id"]})
    with paused(settings.REDIS_URL, "zadd") as wait:
        run, worker = stage.begin(source)
        wait()
        worker.kill()
    stage.lose(worker)
    assert Run.objects.get(pk=run.pk).status == Status.SUCCESS
    assert (reap(), state(source)) == (0, {"cursor": 50, "etag": '"x"'})
    again, third = stage.run(source), stage.run(source)
    assert (again.counts["duplicates"], third.counts["duplicates"]) == (0, 50)
    assert (again.counts["unchanged"], records(source), told(source)) == (50, ROWS, {})


def test_after_rows_of_a_batch_are_marked_and_before_those_of_the_next(stage: Stage, provider: Provider) -> None:
    """What was marked was committed: leaving it out skips nothing."""
    many = rows(1, 12_000)
    source = stage.source(provider.on("/", data(many)), UPSERT, dedupe={"by": "key", "key": ["id"]}, extract=CURSOR)
    run = stage.request(source)
    with holding("SELECT FROM source FOR UPDATE"):
        worker = stage.nursery.worker()
        wait_for_lock('"source"', "FOR NO KEY UPDATE")
        worker.kill()
    stage.lose(worker)
    assert (records(source), state(source)) == (rows(1, 10_000), {})
    run = stage.resume(run)
    assert (run.counts["duplicates"], run.counts["inserted"]) == (10_000, 2_000)
    assert (records(source), state(source)) == (many, {"cursor": 12_000})
    assert told(source) == {"inserted": 12_000}
