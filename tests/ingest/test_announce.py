"""What is announced, read back from the broker as the notify worker would."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings

from ingest import chunks, feed
from ingest.announce import Announcer
from ingest.envelope import Event
from ingest.pusher import Pushed
from tests.ingest.factory import make_event

CHUNK = chunks.new_chunk_id(1_795_000_000_123)


@pytest.fixture
def broker(redis_clean: redis.Redis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        yield client


async def announced(broker: redis.Redis, count: int = 1) -> list[dict[str, Any]]:
    """What stands in the feed, once there are so many announcements."""
    for _ in range(100):
        entries = feed.read(0, 100).entries
        if len(entries) >= count and broker.llen("notify") >= count:
            break
        await asyncio.sleep(0.02)
    return [
        {
            "n": entry.last - entry.first + 1,
            "counts": orjson.loads(entry.counts),
            "events": orjson.loads(entry.events),
            "position": [feed.position().epoch, entry.last],
        }
        for entry in entries
    ]


def doorbells(broker: redis.Redis) -> list[Any]:
    """Names and arguments of the tasks that were sent, oldest first."""
    messages = [orjson.loads(message) for message in broker.lrange("notify", 0, -1)]
    return [
        (message["headers"]["task"], orjson.loads(base64.b64decode(message["body"]))[0])
        for message in reversed(messages)
    ]


def posted(event: Event, index: int) -> tuple[str, Pushed, list[Event]]:
    return "s", Pushed(CHUNK, index, 1, 100), [event]


async def test_arrivals_of_a_moment_are_one_announcement(broker: redis.Redis) -> None:
    announcer = Announcer("tests")
    announcer.add("a", Pushed(CHUNK, 0, 1, 100), [make_event(1), (None, None, None, b"{}")])
    announcer.add("b", Pushed(CHUNK, 2, 1, 100), [make_event(2)])
    [announcement] = await announced(broker)
    announcer.close()
    assert announcement["n"] == 3
    assert sorted(announcement["counts"], key=str) == [["a", "reading", 1], ["a", None, 1], ["b", "reading", 1]]
    assert [event[:2] for event in announcement["events"]] == [["a", "reading"], ["a", None], ["b", "reading"]]


async def test_an_event_is_announced_as_the_api_shows_it(broker: redis.Redis) -> None:
    announcer = Announcer("tests")
    event = ("k", "t", "2026-01-31T00:00:00.000000+00:00", b'{"a":  1.10}')
    announcer.add("s", Pushed(CHUNK, 7, 1, 100), [event])
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
    announcer = Announcer("tests")
    announcer.add("s", Pushed(CHUNK, 0, 1, 100), [make_event(n) for n in range(5)])
    announcer.add("s", Pushed(CHUNK, 5, 1, 100), [make_event(n) for n in range(5, 7)])
    [announcement] = await announced(broker)
    announcer.close()
    assert announcement["n"] == 7
    assert [orjson.loads(event[2])["payload"]["number"] for event in announcement["events"]] == [4, 5, 6]


async def test_what_comes_later_is_announced_later(broker: redis.Redis) -> None:
    announcer = Announcer("tests")
    for number in range(3):
        announcer.add("s", Pushed(CHUNK, number, 1, 100), [make_event(number)])
        await announced(broker, number + 1)
    announcer.close()
    announcements = await announced(broker, 3)
    assert [announcement["n"] for announcement in announcements] == [1, 1, 1]
    assert doorbells(broker) == [("monitor.broadcast", announcement["position"]) for announcement in announcements]


async def test_what_arrives_while_redis_is_away_is_announced_when_it_is_back(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.announce.AGAIN_SECONDS", 0.05)
    announcer = Announcer("tests")
    with monkeypatch.context() as away:
        nowhere = redis.Redis.from_url("unix:///nowhere.sock")
        away.setattr(feed, "_script", lambda text: nowhere.register_script(text))
        for number in range(4):
            announcer.add(*posted(make_event(number), number))
            await asyncio.sleep(0.08)
    announcements = await announced(broker, 2)
    announcer.close()
    assert sum(announcement["n"] for announcement in announcements) == 4
    numbers = [
        orjson.loads(e[2])["payload"]["number"] for announcement in announcements for e in announcement["events"]
    ]
    assert numbers == [0, 1, 2, 3]


async def test_what_was_announced_and_not_confirmed_is_not_announced_twice(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.announce.AGAIN_SECONDS", 0.05)
    announcer, append = Announcer("tests"), feed.append

    def lose_the_answer(announcement: feed.Announcement) -> None:
        append(announcement)
        monkeypatch.setattr(feed, "append", append)
        raise redis.TimeoutError

    monkeypatch.setattr(feed, "append", lose_the_answer)
    announcer.add(*posted(make_event(0), 0))
    await asyncio.sleep(0.3)
    announcer.add(*posted(make_event(1), 1))
    await asyncio.sleep(0.3)
    announcer.close()
    assert feed.position().seq == 2


async def test_what_gathered_is_announced_at_the_end(broker: redis.Redis) -> None:
    announcer = Announcer("tests")
    announcer.add(*posted(make_event(0), 0))
    await announcer.flush()
    announcer.close()
    assert feed.position().seq == 1


async def test_at_the_end_what_could_not_be_announced_before_goes_too(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    announcer = Announcer("tests")
    with monkeypatch.context() as away:
        nowhere = redis.Redis.from_url("unix:///nowhere.sock")
        away.setattr(feed, "_script", lambda text: nowhere.register_script(text))
        announcer.add(*posted(make_event(0), 0))
        await announcer.flush()
    announcer.add(*posted(make_event(1), 1))
    await announcer.flush()
    announcer.close()
    assert [announcement["n"] for announcement in await announced(broker, 2)] == [1, 1]
