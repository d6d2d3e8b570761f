import threading

import pytest
from django.db import connection

from ingest import buffer, chunks
from ingest.flush import Flushed, flush, flush_once
from ingest.ledger import ADVISORY_LOCK_CLASS
from ingest.models import Event
from ingest.progress import quantile, read
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def test_a_flush_empties_all_shards() -> None:
    stream = make_stream()
    for shard in range(4):
        push_chunk(stream, [make_event(shard)], shard=shard)
    assert flush() == Flushed(stored=4)
    assert buffer.size().events == 0
    assert Event.objects.count() == 4


def test_a_flush_of_nothing_does_nothing() -> None:
    assert flush() == Flushed()


def test_chunks_that_were_stored_but_not_popped_are_popped_and_not_stored_again() -> None:
    """As after a worker that died between commit and pop."""
    chunk_id = push_chunk(make_stream(), [make_event()])
    [chunk] = buffer.peek(0, 1 << 20)
    flush()
    buffer.push(0, chunk, 1)
    assert flush() == Flushed()
    assert buffer.waiting_events(chunk_id) == 0
    assert Event.objects.count() == 1


def test_a_flush_that_runs_out_of_time_leaves_the_rest() -> None:
    push_chunk(make_stream(), [make_event()])
    assert flush(seconds=0.0) == Flushed()
    assert buffer.size().events == 1


def test_the_refused_do_not_stop_those_behind_them() -> None:
    stream = make_stream()
    for number in range(5):
        push_chunk(stream, [make_event(payload=BAD_PAYLOAD), make_event(number)])
    assert flush() == Flushed(stored=5, dead=5)


def test_progress_tells_what_waits_and_what_was_done() -> None:
    stream = make_stream()
    push_chunk(stream, [make_event(1, key="k"), make_event(2, key="k")])
    flush()
    push_chunk(stream, [make_event(3)])
    progress = read()
    assert (progress.buffered_events, progress.stored, progress.duplicates, progress.dead) == (1, 1, 1, 0)
    assert progress.lag_p50_ms is not None
    assert 0 <= progress.lag_p50_ms < 60_000


def test_quantiles_are_by_nearest_rank() -> None:
    assert [quantile(list(range(100)), share) for share in (0.0, 0.5, 0.99)] == [0.0, 50.0, 99.0]
    assert quantile([], 0.5) is None


@pytest.mark.django_db(transaction=True)
def test_a_shard_that_another_worker_has_is_left_to_it() -> None:
    push_chunk(make_stream(), [make_event()])
    locked, done = threading.Event(), threading.Event()

    def hold_the_lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 0)", [ADVISORY_LOCK_CLASS])
            locked.set()
            done.wait(10)
            cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [ADVISORY_LOCK_CLASS])  # at once, as a close is not
        connection.close()

    holder = threading.Thread(target=hold_the_lock)
    holder.start()
    assert locked.wait(10)
    try:
        assert flush_once(0, Flushed()) is False
    finally:
        done.set()
        holder.join()
    assert flush() == Flushed(stored=1)


@pytest.mark.django_db(transaction=True)
def test_workers_that_flush_at_once_store_each_event_once() -> None:
    stream = make_stream()
    for number in range(60):
        push_chunk(stream, [make_event(n, key=f"{number}-{n}") for n in range(20)], shard=number % 4)

    def work() -> None:
        while buffer.size().events:
            flush()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Event.objects.count() == 1200
    assert Event.objects.values("key").distinct().count() == 1200
    assert chunks.chunk_of(Event.objects.order_by("id")[0].id)[1] == 0
