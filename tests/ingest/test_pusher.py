"""Shared pushes, on a real event loop and a real Valkey."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings

from data_handler.embedded.server import Server
from ingest import buffer, chunks
from ingest.errors import BufferFull, BufferUnreachable
from ingest.pusher import Pusher
from tests.ingest.factory import make_event


@pytest.fixture
async def pusher(redis_clean: redis.Redis) -> AsyncIterator[Pusher]:
    pusher = Pusher("tests")
    yield pusher
    await pusher.close()


def waiting() -> list[bytes]:
    return [chunk for shard in buffer.waiting_shards() for chunk in buffer.peek(shard, 1 << 30)]


async def test_requests_that_come_during_a_push_share_the_next(pusher: Pusher) -> None:
    alone = asyncio.create_task(pusher.push(1, [make_event()]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pushed = [*await asyncio.gather(*(pusher.push(1, [make_event(n)]) for n in range(49))), await alone]
    assert len(waiting()) == 2
    assert len({(one.chunk_id, one.first) for one in pushed}) == 50


async def test_each_request_is_told_where_its_own_events_are(pusher: Pusher) -> None:
    sizes = [3, 1, 4, 1, 5, 9, 2, 6]
    requests = [[make_event(100 * r + n) for n in range(size)] for r, size in enumerate(sizes)]
    pushed = await asyncio.gather(*(pusher.push(r, events) for r, events in enumerate(requests)))
    stored = {}
    for chunk in waiting():
        place = 0
        for stream_id, events in chunks.decode(chunk):
            stored[chunks.id_of(chunk), place] = (stream_id, events)
            place += len(events)
    assert [stored[one.chunk_id, one.first] for one in pushed] == [(r, events) for r, events in enumerate(requests)]


async def test_a_client_that_hangs_up_does_not_cancel_its_neighbours(pusher: Pusher) -> None:
    first, second, third = (asyncio.create_task(pusher.push(1, [make_event(n)])) for n in range(3))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()
    await third
    with pytest.raises(asyncio.CancelledError):
        await second
    assert buffer.size().events == 3


async def test_a_large_gathering_is_split_into_chunks(pusher: Pusher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pusher.SHARE_EVENTS", 10)
    await asyncio.gather(*(pusher.push(1, [make_event(n)] * 4) for n in range(11)))
    sizes = sorted(sum(len(events) for _, events in chunks.decode(chunk)) for chunk in waiting())
    assert sizes == [4, 8, 8, 8, 8, 8]


async def test_one_request_beyond_the_share_is_one_chunk(pusher: Pusher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pusher.SHARE_EVENTS", 10)
    await pusher.push(1, [make_event(n) for n in range(25)])
    assert len(waiting()) == 1


async def test_pushes_are_spread_over_the_shards(pusher: Pusher) -> None:
    for number in range(8):
        await pusher.push(1, [make_event(number)])
    assert [len(buffer.peek(shard, 1 << 20)) for shard in range(4)] == [2, 2, 2, 2]


async def test_a_full_shard_is_passed_over_until_all_are_full(pusher: Pusher, settings: Settings) -> None:
    settings.BUFFER_MAX_BYTES = 4 * 200
    event = make_event(payload=b'{"x":"' + b"y" * 40 + b'"}')
    buffer.push(0, chunks.new_chunk_id().bytes + b"x" * 150, 1)
    for _ in range(6):
        await pusher.push(1, [event])
    with pytest.raises(BufferFull) as refused:
        await pusher.push(1, [event])
    assert refused.value.retry_after_seconds == 5
    assert [len(buffer.peek(shard, 1 << 20)) for shard in range(4)] == [1, 2, 2, 2]


async def test_a_push_whose_answer_was_lost_is_repeated_and_stands_once(
    pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, calls = pusher._script, []

    async def lose_the_first_answer(*arguments: object) -> int:
        calls.append(arguments)
        answer = await script(*arguments)
        if len(calls) == 1:
            raise redis.TimeoutError
        return int(answer)

    monkeypatch.setattr(pusher, "_script", lose_the_first_answer)
    await pusher.push(1, [make_event()])
    assert (len(calls), buffer.size().events) == (2, 1)


async def test_a_buffer_out_of_memory_is_said_to_take_nothing(pusher: Pusher, redis_clean: redis.Redis) -> None:
    redis_clean.config_set("maxmemory", 1)
    try:
        with pytest.raises(BufferUnreachable, match="Nothing of this request was kept"):
            await pusher.push(1, [make_event()])
    finally:
        redis_clean.config_set("maxmemory", 0)
    assert buffer.size().events == 0


@pytest.fixture
def stopped_buffer(services: object) -> Iterator[Server]:
    """The buffer's Valkey, down for the time of the test."""
    server: Server = services.buffer  # type: ignore[attr-defined]
    server.stop()
    yield server
    if not Path(django_settings.HOME.buffer_socket).exists():
        server.start()


async def test_an_unreachable_buffer_is_said_within_a_second(redis_clean: redis.Redis, stopped_buffer: Server) -> None:
    pusher = Pusher("tests")
    started = time.monotonic()
    with pytest.raises(BufferUnreachable):
        await pusher.push(1, [make_event()])
    assert time.monotonic() - started < 1.0
    stopped_buffer.start()
    await pusher.push(1, [make_event()])
    assert buffer.size().events == 1
    await pusher.close()


async def test_closing_waits_for_the_push_under_way(redis_clean: redis.Redis) -> None:
    pusher = Pusher("tests")
    push = asyncio.create_task(pusher.push(1, [make_event()]))
    await asyncio.sleep(0)
    push.cancel()
    await pusher.close()
    assert buffer.size().events == 1
