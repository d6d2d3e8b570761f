"""What a client that takes its time is owed."""

import json
import random
import time
from typing import Any

from ingest.feed import Position
from monitor.batches import Batch, Gap
from monitor.event_frames import MAX_EVENTS_PER_FRAME, MAX_FRAME_CHARACTERS
from monitor.filters import Filter
from monitor.replay import Stretch
from monitor.subscriptions import (
    MAX_PENDING,
    PROGRESS_SECONDS,
    Subscription,
)

START = Position("e", 0)


def batch(first: int, size: int, shown: int, event: str = "{}", epoch: str = "e") -> Batch:
    counts = [["sensors", None, size]]
    return Batch(epoch, first, first + size - 1, counts, [["sensors", None, event]] * shown)


def frames(subscription: Subscription) -> list[dict[str, Any]]:
    return [json.loads(subscription.encode(item)) for item in subscription.take(now=0.0)]


def test_a_client_that_waits_long_gets_the_newest_events_and_exact_counts() -> None:
    subscription = Subscription("a", Filter(), START)
    for number in range(1000):
        subscription.on_batch(batch(1 + 100 * number, 100, 50, str(number)))
    sent = frames(subscription)
    assert len(sent) == MAX_PENDING
    assert [frame["from"] for frame in sent] == [1, *(frame["to"] + 1 for frame in sent[:-1])]
    assert sent[-1]["to"] == sum(frame["matched"] for frame in sent) == 100_000
    shown = [event for frame in sent for event in frame["events"]]
    assert shown == [number for number in range(900, 1000) for _ in range(50)]
    assert max(len(frame["events"]) for frame in sent) == MAX_EVENTS_PER_FRAME
    assert sum(frame["omitted"] for frame in sent) == 100_000 - len(shown)


def test_beyond_what_a_client_may_be_sent_the_newest_are_shown() -> None:
    subscription = Subscription("a", Filter(), START)
    for number in range(20):
        subscription.on_batch(batch(1 + 100 * number, 100, 100, f"{number:10}"))
    items = subscription.take(now=0.0, characters=1200)
    sent = [json.loads(subscription.encode(item)) for item in items]
    assert sum(frame["matched"] for frame in sent) == 2000
    assert [event for frame in sent for event in frame["events"]] == [18] * 20 + [19] * 100


def test_large_events_make_a_frame_hold_fewer() -> None:
    subscription = Subscription("a", Filter(), START)
    event = json.dumps("x" * (MAX_FRAME_CHARACTERS // 4))
    subscription.on_batch(batch(1, 10, 10, event))
    (frame,) = frames(subscription)
    assert (len(frame["events"]), frame["omitted"]) == (3, 7)


def test_what_is_known_already_changes_nothing() -> None:
    subscription = Subscription("a", Filter(), START)
    for _ in range(2):
        subscription.on_batch(batch(1, 10, 10))
        subscription.on_gap(Gap("e", 5, 12, "lost"))
        subscription.on_batch(batch(1, 99, 9, epoch="past"))
    assert [(frame["op"], frame["from"], frame["to"]) for frame in frames(subscription)] == [
        ("events", 1, 10),
        ("gap", 11, 12),
    ]


def test_an_event_larger_than_a_frame_is_shown_alone() -> None:
    subscription = Subscription("a", Filter(), START)
    subscription.on_batch(batch(1, 2, 2, json.dumps("x" * (2 * MAX_FRAME_CHARACTERS))))
    (frame,) = frames(subscription)
    assert (len(frame["events"]), frame["omitted"]) == (1, 1)


def test_frames_and_gaps_cover_every_number_in_order() -> None:
    subscription = Subscription("a", Filter(frozenset({"sensors"})), START)
    next_number, covered, matched = 1, 0, 0
    for step in range(300):
        size = random.randint(1, 30)
        if random.random() < 0.2:
            subscription.on_gap(Gap("e", next_number, next_number + size - 1, "lost"))
        else:
            subscription.on_batch(batch(next_number, size, random.randint(0, size)))
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
        subscription.on_batch(batch(1 + 20 * number, 10, 10))
        subscription.on_gap(Gap("e", 11 + 20 * number, 20 + 20 * number, "lost"))
    first, *others = frames(subscription)
    assert (first["op"], first["from"], first["reason"]) == ("gap", 1, "slow_client")
    assert len(others) < MAX_PENDING
    assert [frame["from"] for frame in others] == [first["to"] + 1, *(frame["to"] + 1 for frame in others[:-1])]


def test_too_many_new_epochs_become_one() -> None:
    subscription = Subscription("a", Filter(), START)
    for number in range(MAX_PENDING + 1):
        subscription.on_batch(batch(1, 5, 5, epoch=str(number) if number else "e"))
        subscription.on_gap(Gap(str(number + 1), 1, 0, "new_epoch"))
    told = [(frame["op"], frame["from"], frame["to"]) for frame in frames(subscription)]
    assert len(told) <= MAX_PENDING
    assert told[0] == ("gap", 1, 0)
    assert ("gap", 1, 0) in told


def test_after_a_new_epoch_frames_carry_its_name() -> None:
    subscription = Subscription("a", Filter(), START)
    subscription.on_batch(batch(1, 5, 5))
    subscription.on_gap(Gap("f", 1, 0, "new_epoch"))
    subscription.on_batch(batch(1, 2, 2, epoch="f"))
    told = [(frame["op"], frame["epoch"], frame["from"], frame["to"]) for frame in frames(subscription)]
    assert told == [("events", "e", 1, 5), ("gap", "f", 1, 0), ("events", "f", 1, 2)]


def test_what_does_not_match_is_neither_sent_nor_forgotten() -> None:
    subscription = Subscription("a", Filter(frozenset({"doors"})), START)
    subscription.on_batch(batch(1, 5, 5))
    due = [subscription.due(0.0)]
    assert frames(subscription) == []
    subscription.on_gap(Gap("e", 6, 8, "lost"))
    due.append(subscription.due(0.0))
    assert due == [False, True]
    assert [(frame["op"], frame["from"], frame["to"]) for frame in frames(subscription)] == [
        ("events", 1, 5),
        ("gap", 6, 8),
    ]


def test_after_a_while_that_nothing_matched_is_sent_too() -> None:
    subscription = Subscription("a", Filter(frozenset({"doors"})), START)
    began = time.monotonic()
    subscription.on_batch(batch(1, 5, 5))
    assert (subscription.due(began), subscription.due(began + PROGRESS_SECONDS + 1)) == (False, True)
    (item,) = subscription.take(now=began + PROGRESS_SECONDS + 1)
    frame = json.loads(subscription.encode(item))
    assert (frame["from"], frame["to"], frame["matched"], frame["events"]) == (1, 5, 0, [])
    subscription.on_batch(batch(6, 5, 5))
    assert subscription.take(now=began + PROGRESS_SECONDS + 2) == []


def test_what_the_log_has_is_not_thrown_away_because_it_comes_at_once() -> None:
    """Gaps and large batches, more than may be pending: what does not fit is read again."""
    event = json.dumps("x" * (MAX_FRAME_CHARACTERS * 2 // 3))
    items: list[Batch | Gap] = []
    for number in range(1, 41, 2):
        items += [Gap("e", number, number, "lost"), batch(number + 1, 1, 1, event)]
    subscription = Subscription("a", Filter(), START, live=False)
    sent: list[dict[str, Any]] = []
    while not subscription.live:
        left = [item for item in items if item.last > subscription.position.seq]
        subscription.catch_up(Stretch(Position("e", 40), left, complete=True), Position("e", 40))
        sent += frames(subscription)
    assert [(frame["op"], frame["from"]) for frame in sent] == [
        ("gap" if number % 2 else "events", number) for number in range(1, 41)
    ]
    assert all(frame["omitted"] == 0 for frame in sent if frame["op"] == "events")
    assert {frame["reason"] for frame in sent if frame["op"] == "gap"} == {"lost"}
