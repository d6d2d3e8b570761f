from uuid import UUID

import pytest
import redis
from pytest_django import Settings

from ingest import buffer, chunks

pytestmark = pytest.mark.usefixtures("redis_clean")


def make_chunk(now_ms: int | None = None, *, size: int = 0) -> tuple[bytes, UUID]:
    chunk_id = chunks.new_chunk_id(now_ms)
    return chunks.encode(chunk_id, [(1, [(None, None, None, b"x" * size)])]), chunk_id


def test_chunks_come_back_in_the_order_of_their_push() -> None:
    pushed = [make_chunk()[0] for _ in range(3)]
    for chunk in pushed:
        buffer.push(0, chunk, 1)
    assert buffer.peek(0, 1 << 20) == pushed


def test_a_peek_takes_nothing_away() -> None:
    buffer.push(0, make_chunk()[0], 1)
    assert buffer.peek(0, 1 << 20) == buffer.peek(0, 1 << 20)


def test_a_repeated_push_changes_nothing() -> None:
    chunk, _ = make_chunk()
    assert buffer.push(0, chunk, 5) == buffer.push(0, chunk, 5) == 5
    assert (len(buffer.peek(0, 1 << 20)), buffer.size().events) == (1, 5)


def test_a_peek_is_bounded_by_bytes_but_gives_at_least_one() -> None:
    for _ in range(300):
        buffer.push(0, make_chunk(size=100)[0], 1)
    assert len(buffer.peek(0, 1)) == 1
    assert 2 < len(buffer.peek(0, 1000)) < 11
    assert len(buffer.peek(0, 1 << 20)) == 300


def test_popping_the_last_chunk_leaves_nothing_but_who_pushed_how_much(redis_clean: redis.Redis) -> None:
    chunk, chunk_id = make_chunk()
    buffer.push(3, chunk, 7, "p")
    assert buffer.pop(3, [chunk_id]) == 1
    assert redis_clean.keys() == [b"{dh:buf:3}:pushed"]
    assert buffer.pushed() == {"p": 7}


def test_a_push_that_is_repeated_is_counted_once() -> None:
    chunk, _ = make_chunk()
    buffer.push(0, chunk, 5, "p")
    buffer.push(0, chunk, 5, "p")
    buffer.push(1, make_chunk()[0], 1, "p")
    assert buffer.pushed() == {"p": 6}


def test_a_pop_stops_at_the_first_chunk_that_was_not_committed() -> None:
    (first, first_id), (second, _), (third, third_id) = make_chunk(), make_chunk(), make_chunk()
    for chunk in (first, second, third):
        buffer.push(0, chunk, 1)
    assert buffer.pop(0, [first_id, third_id]) == 1
    assert buffer.peek(0, 1 << 20) == [second, third]


def test_a_pop_after_another_worker_popped_takes_nothing_that_is_not_its_own() -> None:
    (first, first_id), (second, second_id), (third, _) = make_chunk(), make_chunk(), make_chunk()
    for chunk in (first, second, third):
        buffer.push(0, chunk, 1)
    buffer.pop(0, [first_id])
    assert buffer.pop(0, [first_id, second_id]) == 1
    assert buffer.peek(0, 1 << 20) == [third]


def test_the_size_follows_pushes_and_pops() -> None:
    (first, first_id), (second, _) = make_chunk(1_000_000), make_chunk(5_000_000)
    buffer.push(0, first, 10)
    buffer.push(1, second, 20)
    assert buffer.size(now=6000.0) == buffer.Size(30, len(first) + len(second), 5000.0)
    buffer.pop(0, [first_id])
    assert buffer.size(now=6000.0) == buffer.Size(20, len(second), 1000.0)


def test_an_empty_buffer_has_no_age() -> None:
    assert buffer.size() == buffer.Size(0, 0, None)


def test_a_shard_at_its_watermark_takes_nothing(settings: Settings) -> None:
    settings.BUFFER_MAX_BYTES = 1000
    settings.BUFFER_SHARDS = 2
    assert buffer.push(0, make_chunk(size=300)[0], 1) == 1
    assert buffer.push(0, make_chunk(size=300)[0], 1) == buffer.FULL
    assert buffer.push(1, make_chunk(size=300)[0], 1) == 1
    assert buffer.size().events == 2


def test_a_chunk_beyond_the_watermark_is_taken_into_an_empty_shard(settings: Settings) -> None:
    settings.BUFFER_MAX_BYTES = 10
    assert buffer.push(0, make_chunk(size=300)[0], 1) == 1


def test_a_shard_that_is_no_longer_pushed_to_is_still_found(settings: Settings) -> None:
    chunk, chunk_id = make_chunk()
    buffer.push(5, chunk, 2)
    settings.BUFFER_SHARDS = 1
    assert buffer.waiting_shards() == [5]
    assert buffer.waiting_events(chunk_id) == 2
    assert buffer.waiting_chunks() == [chunk_id]


def test_lag_samples_are_capped() -> None:
    for _ in range(3):
        buffer.record_flush(list(range(buffer.LAG_SAMPLES)), now=1.0)
    assert len(buffer.lag_samples_ms()) == buffer.LAG_SAMPLES
