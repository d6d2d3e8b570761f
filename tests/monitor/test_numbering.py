"""The numbers of the feed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
import redis
from django.conf import LazySettings

from monitor import feed
from monitor.batches import Batch, Position
from tests.monitor.watching import announcement


def number(events: int, shown: int = 200) -> Batch:
    return feed.number(announcement([("sensors", "reading")] * events, shown))


def entries() -> Any:
    return feed.client().xrange(feed.KEYS[2])


def replayed() -> list[tuple[int, int, int]]:
    """First number, last number and shown events of the batches that are kept."""
    return [(int(kept[b"first"]), int(id.split(b"-")[0]), int(kept[b"shown"])) for id, kept in entries()]


def test_numbers_follow_each_other() -> None:
    first, second = number(3), number(4)
    assert (first.first, first.last) == (1, 3)
    assert (second.first, second.last) == (4, 7)
    assert feed.position() == Position(second.epoch, 7)


def test_two_publishers_at_once_leave_no_hole_and_no_repeat() -> None:
    with ThreadPoolExecutor(4) as publishers:
        batches = sorted(publishers.map(number, [1, 7, 30, 250] * 25), key=lambda batch: batch.first)
    numbers = [number for batch in batches for number in range(batch.first, batch.last + 1)]
    assert numbers == list(range(1, 288 * 25 + 1))
    assert len({batch.epoch for batch in batches}) == 1
    assert [kept[:2] for kept in replayed()] == [(batch.first, batch.last) for batch in batches]


def test_the_replay_stream_keeps_the_newest_shown_events(settings: LazySettings) -> None:
    settings.FEED_REPLAY_EVENTS = 10
    for _ in range(6):
        number(100, shown=4)
    assert replayed() == [(401, 500, 4), (501, 600, 4)]


def test_a_batch_larger_than_the_replay_stream_is_kept_until_the_next(settings: LazySettings) -> None:
    settings.FEED_REPLAY_EVENTS = 10
    number(50)
    assert replayed() == [(1, 50, 50)]
    number(1)
    assert replayed() == [(51, 51, 1)]


def test_the_replay_stream_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_REPLAY_BYTES", 1000)
    for _ in range(20):
        number(1)
    entries: Any = feed.client().xrange(feed.KEYS[2])
    kept = sum(len(fields[b"counts"]) + len(fields[b"events"]) for _, fields in entries)
    assert 500 < kept <= 1000
    assert int(feed.client().get(feed.KEYS[4]) or 0) == kept


def test_a_redis_that_lost_its_data_starts_a_new_epoch(redis_clean: redis.Redis) -> None:
    before = number(5)
    feed.client().flushdb()
    after = number(2)
    assert after.epoch != before.epoch
    assert (after.first, after.last) == (1, 2)


def test_a_lost_epoch_takes_what_belonged_to_it_along() -> None:
    number(5)
    feed.client().delete(feed.KEYS[0])
    assert number(2).first == 1
    assert replayed() == [(1, 2, 2)]


def test_asking_for_the_position_changes_nothing() -> None:
    position = feed.position()
    assert position.seq == 0
    assert feed.position() == position
    assert number(1).epoch == position.epoch


@pytest.mark.parametrize("key", ["events", "counts"])
def test_what_is_kept_is_what_was_announced(key: str) -> None:
    told: dict[str, Any] = {**announcement([("sensors", "reading"), ("türen", None)])}
    feed.number(announcement([("sensors", "reading"), ("türen", None)]))
    ((_, kept),) = entries()
    assert orjson.loads(kept[key.encode()]) == [list(item) for item in told[key]]
