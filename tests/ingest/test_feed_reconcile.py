"""What a process pushed into the buffer and took along when it died is missed by number."""

import pytest

from ingest import buffer, chunks, feed
from ingest.feed import Announcement

pytestmark = pytest.mark.usefixtures("redis_clean")

SETTLED = feed.SETTLE_SECONDS + 1


def push(producer: str, events: int, shard: int = 0) -> None:
    assert buffer.push(shard, chunks.new_chunk_id().bytes, events, producer) != buffer.FULL


def announce(producer: str, n: int, before: int = 0, accepted_at: float = 0.0) -> int | None:
    announcement: Announcement = {
        "producer": producer,
        "before": before,
        "n": n,
        "counts": [["s", None, n]],
        "events": [],
        "accepted_at": accepted_at,
    }
    position = feed.append(announcement)
    return position.seq if position else None


def test_what_a_dead_process_did_not_announce_gets_its_numbers() -> None:
    feed.register("p")
    push("p", 7, shard=0)
    push("p", 5, shard=1)
    announce("p", 7)
    assert feed.reconcile(now=100) == 0
    assert feed.reconcile(now=100 + SETTLED) == 5
    assert feed.position().seq == 12
    assert feed.reconcile(now=200) == 0
    assert feed.reconcile(now=300) == 0


def test_one_that_died_before_it_announced_anything_is_missed_too() -> None:
    feed.register("p")
    push("p", 3)
    feed.reconcile(now=100)
    assert feed.reconcile(now=100 + SETTLED) == 3


def test_a_process_that_goes_on_is_left_alone() -> None:
    feed.register("p")
    for second in range(0, 60, 10):
        push("p", 2)
        assert feed.reconcile(now=100.0 + second) == 0
        assert announce("p", 2, before=second // 5) == second // 5 + 2


def test_one_that_was_only_asleep_is_not_counted_twice() -> None:
    feed.register("p")
    push("p", 4)
    feed.reconcile(now=100)
    assert feed.reconcile(now=100 + SETTLED) == 4
    assert announce("p", 4, accepted_at=99.0) is None
    push("p", 2)
    assert announce("p", 2, before=4, accepted_at=200.0) == 6
    feed.reconcile(now=300)
    assert feed.reconcile(now=300 + SETTLED) == 0
    assert feed.position().seq == 6


def test_after_a_new_epoch_nothing_of_the_old_one_is_missed() -> None:
    feed.register("p")
    push("p", 4)
    feed.client().flushdb()
    for now in (100, 200, 300):
        assert feed.reconcile(now=now) == 0
    push("p", 1)
    assert announce("p", 1, before=4) == 1


def test_a_producer_that_is_silent_for_a_month_is_forgotten() -> None:
    feed.register("p")
    push("p", 4)
    announce("p", 4)
    feed.reconcile(now=100)
    feed.reconcile(now=100 + feed.FORGET_SECONDS)
    assert buffer.pushed() == {}
    assert feed.client().hgetall(feed.PRODUCERS) == {}
