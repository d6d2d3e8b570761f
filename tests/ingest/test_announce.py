"""What is announced, read back from the broker as the notify worker would."""

import asyncio
import base64
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings

from ingest import chunks
from ingest.announce import Announcer, folded, within
from ingest.envelope import Event
from ingest.pusher import Pushed
from tests.ingest.factory import make_event

CHUNK = chunks.new_chunk_id(1_795_000_000_123)


@pytest.fixture
def broker(redis_clean: redis.Redis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        yield client


async def announced(broker: redis.Redis, count: int = 1) -> list[dict[str, Any]]:
    """The arguments of the tasks that come in, waiting for so many."""
    for _ in range(100):
        if broker.llen("notify") >= count:
            break
        await asyncio.sleep(0.02)
    messages = [orjson.loads(message) for message in broker.lrange("notify", 0, -1)]
    assert {message["headers"]["task"] for message in messages} == {"monitor.broadcast"}
    return [orjson.loads(base64.b64decode(message["body"]))[0][0] for message in reversed(messages)]


def arrivals(*sizes: int) -> list[tuple[str, Any, int, Event]]:
    return [("s", CHUNK, n, (None, None, None, b"x" * size)) for n, size in enumerate(sizes)]


async def test_arrivals_of_a_moment_are_one_announcement(broker: redis.Redis) -> None:
    announcer = Announcer()
    announcer.add("a", Pushed(CHUNK, 0, 1), [make_event(1), (None, None, None, b"{}")])
    announcer.add("b", Pushed(CHUNK, 2, 1), [make_event(2)])
    [announcement] = await announced(broker)
    announcer.close()
    assert announcement["n"] == 3
    assert sorted(announcement["counts"], key=str) == [["a", "reading", 1], ["a", None, 1], ["b", "reading", 1]]
    assert [event[:2] for event in announcement["events"]] == [["a", "reading"], ["a", None], ["b", "reading"]]


async def test_an_event_is_announced_as_the_api_shows_it(broker: redis.Redis) -> None:
    announcer = Announcer()
    event = ("k", "t", "2026-01-31T00:00:00.000000+00:00", b'{"a":  1.10}')
    announcer.add("s", Pushed(CHUNK, 7, 1), [event])
    [announcement] = await announced(broker)
    announcer.close()
    text = announcement["events"][0][2]
    assert '"payload":{"a":  1.10}' in text
    assert orjson.loads(text) == {
        "id": str(chunks.event_id(CHUNK, 7)),
        "stream": "s",
        "type": "t",
        "key": "k",
        "time": "2026-01-31T00:00:00Z",
        "received_at": "2026-11-18T11:06:40.123000Z",
        "payload": {"a": 1.1},
    }


async def test_beyond_the_limit_the_newest_are_shown_and_all_are_counted(
    broker: redis.Redis, settings: Settings
) -> None:
    settings.NOTIFY_MAX_EVENTS = 3
    announcer = Announcer()
    announcer.add("s", Pushed(CHUNK, 0, 1), [make_event(n) for n in range(5)])
    announcer.add("s", Pushed(CHUNK, 5, 1), [make_event(n) for n in range(5, 7)])
    [announcement] = await announced(broker)
    announcer.close()
    assert announcement["n"] == 7
    assert [orjson.loads(event[2])["payload"]["number"] for event in announcement["events"]] == [4, 5, 6]


async def test_what_comes_later_is_announced_later(broker: redis.Redis) -> None:
    announcer = Announcer()
    for number in range(3):
        announcer.add("s", Pushed(CHUNK, number, 1), [make_event(number)])
        await announced(broker, number + 1)
    announcer.close()
    assert [announcement["n"] for announcement in await announced(broker, 3)] == [1, 1, 1]


def test_large_events_are_shown_as_far_as_they_fit() -> None:
    assert [index for _, _, index, _ in within(arrivals(10, 10, 10), 25)] == [1, 2]
    assert within(arrivals(10, 10, 30), 25) == []
    assert len(within(arrivals(10, 10), 25)) == 2


def test_a_flood_of_types_is_folded_and_the_sum_stays() -> None:
    counts = Counter({("a", f"t{n}"): 1 for n in range(50)}) + Counter({("a", "common"): 9, ("b", None): 7})
    kept = folded(counts, {("a", "t49")}, 10)
    assert len(kept) == 12
    assert kept.total() == counts.total()
    assert (kept["a", "common"], kept["b", None], kept["a", "t49"], kept["a", "(other)"]) == (9, 7, 1, 41)
    assert folded(counts, set(), 100) == counts
