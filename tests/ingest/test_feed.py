"""The numbers of the feed, and what is kept of it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
import redis
from django.conf import LazySettings

from ingest import feed
from ingest.feed import Announcement, Position


def announcement(n: int, shown: int = 200, producer: str | None = None, before: int = 0) -> Announcement:
    return {
        "producer": producer or feed.new_producer(),
        "before": before,
        "n": n,
        "counts": [["sensors", "reading", n]],
        "events": [["sensors", "reading", f'{{"number": {number}}}'] for number in range(n)][-shown:],
        "accepted_at": 1000.0,
    }


def append(n: int, shown: int = 200) -> tuple[int, int]:
    """First and last number."""
    position = feed.append(announcement(n, shown))
    assert position is not None
    return position.seq - n + 1, position.seq


def replayed() -> list[tuple[int, int, int]]:
    """First number, last number and shown events of the announcements that are kept."""
    return [(entry.first, entry.last, len(orjson.loads(entry.events))) for entry in feed.read(0, 1000).entries]


pytestmark = pytest.mark.usefixtures("redis_clean")


def test_numbers_follow_each_other() -> None:
    assert append(3) == (1, 3)
    assert append(4) == (4, 7)
    assert feed.position().seq == 7


def test_producers_that_announce_at_once_leave_no_hole_and_no_repeat() -> None:
    with ThreadPoolExecutor(4) as producers:
        numbered = sorted(producers.map(append, [1, 7, 30, 250] * 25))
    assert [number for first, last in numbered for number in range(first, last + 1)] == list(range(1, 288 * 25 + 1))
    assert [kept[:2] for kept in replayed()] == numbered


def test_an_announcement_that_is_tried_again_is_numbered_once() -> None:
    first = announcement(3, producer="p")
    assert feed.append(first) == Position(feed.position().epoch, 3)
    assert feed.append(first) is None
    assert feed.append(announcement(2, producer="p", before=3)) == Position(feed.position().epoch, 5)
    assert [kept[:2] for kept in replayed()] == [(1, 3), (4, 5)]


def test_the_replay_stream_keeps_the_newest_shown_events(settings: LazySettings) -> None:
    settings.FEED_REPLAY_EVENTS = 10
    for _ in range(6):
        append(100, shown=4)
    assert replayed() == [(401, 500, 4), (501, 600, 4)]
    assert feed.read(0, 1).trimmed == 400


def test_an_announcement_larger_than_the_replay_stream_is_kept_until_the_next(settings: LazySettings) -> None:
    settings.FEED_REPLAY_EVENTS = 10
    append(50)
    assert replayed() == [(1, 50, 50)]
    append(1)
    assert replayed() == [(51, 51, 1)]


def test_the_replay_stream_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_REPLAY_BYTES", 1000)
    for _ in range(40):
        append(1)
    kept = sum(len(entry.counts) + len(entry.events) for entry in feed.read(0, 1000).entries)
    assert 500 < kept <= 1000
    assert int(feed.client().get(feed.BYTES) or 0) == kept


def test_a_redis_that_lost_its_data_starts_a_new_epoch(redis_clean: redis.Redis) -> None:
    append(5)
    before = feed.position()
    feed.client().flushdb()
    assert append(2) == (1, 2)
    assert feed.position().epoch != before.epoch


def test_a_lost_epoch_takes_what_belonged_to_it_along() -> None:
    append(5)
    feed.client().delete(feed.EPOCH)
    assert append(2) == (1, 2)
    assert replayed() == [(1, 2, 2)]


def test_asking_for_the_position_changes_nothing() -> None:
    position = feed.position()
    assert position.seq == 0
    assert feed.position() == position
    append(1)
    assert feed.position().epoch == position.epoch


def test_reading_starts_after_a_number_and_says_how_far_the_feed_is() -> None:
    for _ in range(5):
        append(10)
    replay = feed.read(20, 2)
    assert (replay.position.seq, replay.trimmed) == (50, 0)
    assert [(entry.first, entry.last) for entry in replay.entries] == [(21, 30), (31, 40)]


def test_an_empty_feed_can_be_read() -> None:
    replay = feed.read(0, 10)
    assert (replay.position, replay.trimmed, replay.entries) == (feed.position(), 0, [])


def test_an_announcement_is_found_by_where_it_ends() -> None:
    told: Any = announcement(3)
    position = feed.append(told)
    assert position is not None
    entry = feed.entry(position)
    assert entry is not None
    assert (entry.first, entry.last) == (1, 3)
    assert orjson.loads(entry.counts) == told["counts"]
    assert orjson.loads(entry.events) == told["events"]
    assert feed.entry(Position("another", 3)) is None
    assert feed.entry(Position(position.epoch, 2)) is None
