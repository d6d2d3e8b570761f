"""What a client that takes its time is owed."""

import json
import random
from typing import Any

from monitor.batches import Batch, Gap, Position
from monitor.filters import Filter
from monitor.subscriptions import MAX_EVENTS_PER_FRAME, MAX_FRAME_CHARACTERS, MAX_PENDING, Subscription

START = Position("e", 0)


def batch(first: int, size: int, shown: int, event: str = "{}", epoch: str = "e") -> Batch:
    counts = [["sensors", None, size]]
    return Batch(epoch, first, first + size - 1, counts, [["sensors", None, event]] * shown)


def frames(subscription: Subscription) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in subscription.frames()]


def test_a_client_that_waits_long_gets_the_newest_events_and_exact_counts() -> None:
    subscription = Subscription("a", Filter(), START)
    for number in range(1000):
        subscription.add_batch(batch(1 + 100 * number, 100, 50, str(number)))
    (frame,) = frames(subscription)
    assert (frame["from"], frame["to"], frame["matched"]) == (1, 100_000, 100_000)
    assert len(frame["events"]) == MAX_EVENTS_PER_FRAME
    assert frame["omitted"] == 100_000 - MAX_EVENTS_PER_FRAME
    assert frame["events"][0] == 990
    assert frame["events"][-1] == 999


def test_large_events_make_a_frame_hold_fewer() -> None:
    subscription = Subscription("a", Filter(), START)
    event = json.dumps("x" * (MAX_FRAME_CHARACTERS // 4))
    subscription.add_batch(batch(1, 10, 10, event))
    (frame,) = frames(subscription)
    assert (len(frame["events"]), frame["omitted"]) == (3, 7)


def test_an_event_larger_than_a_frame_is_shown_alone() -> None:
    subscription = Subscription("a", Filter(), START)
    subscription.add_batch(batch(1, 2, 2, json.dumps("x" * (2 * MAX_FRAME_CHARACTERS))))
    (frame,) = frames(subscription)
    assert (len(frame["events"]), frame["omitted"]) == (1, 1)


def test_frames_and_gaps_cover_every_number_in_order() -> None:
    subscription = Subscription("a", Filter(frozenset({"sensors"})), START)
    next_number, covered, matched = 1, 0, 0
    for step in range(300):
        size = random.randint(1, 30)
        if random.random() < 0.2:
            subscription.add_gap(Gap("e", next_number, next_number + size - 1, "lost"))
        else:
            subscription.add_batch(batch(next_number, size, random.randint(0, size)))
            matched += size
        next_number += size
        if step % 4 == 3 or random.random() < 0.3:
            for frame in frames(subscription):
                assert frame["from"] == covered + 1
                covered = frame["to"]
                if frame["op"] == "events":
                    assert frame["n"] == frame["to"] - frame["from"] + 1 == frame["matched"]
                    matched -= frame["matched"]
    assert (covered, matched) == (next_number - 1, 0)


def test_too_many_gaps_become_one() -> None:
    subscription = Subscription("a", Filter(), START)
    for number in range(MAX_PENDING):
        subscription.add_batch(batch(1 + 20 * number, 10, 10))
        subscription.add_gap(Gap("e", 11 + 20 * number, 20 + 20 * number, "lost"))
    first, *others = frames(subscription)
    assert (first["op"], first["from"], first["reason"]) == ("gap", 1, "slow_client")
    assert len(others) < MAX_PENDING
    assert [frame["from"] for frame in others] == [first["to"] + 1, *(frame["to"] + 1 for frame in others[:-1])]


def test_after_a_new_epoch_frames_carry_its_name() -> None:
    subscription = Subscription("a", Filter(), START)
    subscription.add_batch(batch(1, 5, 5))
    subscription.add_gap(Gap("f", 1, 0, "new_epoch"))
    subscription.add_batch(batch(1, 2, 2, epoch="f"))
    told = [(frame["op"], frame["epoch"], frame["from"], frame["to"]) for frame in frames(subscription)]
    assert told == [("events", "e", 1, 5), ("gap", "f", 1, 0), ("events", "f", 1, 2)]


def test_what_does_not_match_is_neither_sent_nor_forgotten() -> None:
    subscription = Subscription("a", Filter(frozenset({"doors"})), START)
    subscription.add_batch(batch(1, 5, 5))
    due = [subscription.due]
    assert frames(subscription) == []
    subscription.add_gap(Gap("e", 6, 8, "lost"))
    due.append(subscription.due)
    assert due == [False, True]
    assert [(frame["op"], frame["from"], frame["to"]) for frame in frames(subscription)] == [
        ("events", 1, 5),
        ("gap", 6, 8),
    ]
