"""What is counted and what is shown of the arrivals of a moment."""

from collections import Counter
from typing import Any

from pytest_django import Settings

from ingest import chunks
from ingest.envelope import Event
from ingest.gathering import MOST_HELD_BYTES, Arrival, Gathering, fair_shares, folded, within
from ingest.pusher import Pushed

CHUNK = chunks.new_chunk_id(1_795_000_000_123)


def arrivals(*sizes: int) -> list[Arrival]:
    return [Arrival(n, "s", CHUNK, n, (None, None, None, b"x" * size)) for n, size in enumerate(sizes)]


def test_large_events_are_shown_as_far_as_they_fit() -> None:
    assert [number for number, *_ in within(arrivals(10, 10, 10), 25)] == [1, 2]
    assert within(arrivals(10, 10, 30), 25) == []
    assert len(within(arrivals(10, 10), 25)) == 2


def test_a_flood_of_types_is_folded_and_the_sum_stays() -> None:
    counts = Counter({("a", f"t{n}"): 1 for n in range(50)}) + Counter({("a", "common"): 9, ("b", None): 7})
    kept = folded(counts, {("a", "t49")}, 10)
    assert len(kept) == 12
    assert kept.total() == counts.total()
    assert (kept["a", "common"], kept["b", None], kept["a", "t49"], kept["a", "(other)"]) == (9, 7, 1, 41)
    assert folded(counts, set(), 100) == counts


def test_what_is_rare_is_shown_beside_what_is_frequent(settings: Settings) -> None:
    settings.NOTIFY_MAX_EVENTS = 10
    gathering = Gathering()
    frequent: list[Event] = [(None, "reading", None, b"%d" % n) for n in range(1000)]
    rare: list[Event] = [(None, "alarm", None, b"first"), (None, "alarm", None, b"second")]
    gathering.add("a", Pushed(CHUNK, 0, 1, 100), [*frequent[:500], rare[0], *frequent[500:]])
    gathering.add("b", Pushed(CHUNK, 0, 1, 100), rare[1:])
    shown = [(stream, event[3]) for _, stream, *_, event in gathering.shown()]
    assert shown == [("a", b"first"), *(("a", b"%d" % n) for n in range(992, 1000)), ("b", b"second")]
    assert gathering.counts == {("a", "reading"): 1000, ("a", "alarm"): 1, ("b", "alarm"): 1}
    assert gathering.n == 1002


def test_shares_are_fair_and_nothing_is_left_that_somebody_wants() -> None:
    kinds: list[Any] = [("s", name) for name in "abc"]
    assert fair_shares(dict(zip(kinds, [1, 100, 100], strict=True)), 11) == dict(zip(kinds, [1, 5, 5], strict=True))
    assert fair_shares(dict(zip(kinds, [1, 2, 3], strict=True)), 11) == dict(zip(kinds, [1, 2, 3], strict=True))
    assert fair_shares({}, 11) == {}


def test_what_gathers_while_nobody_listens_is_bounded(settings: Settings) -> None:
    settings.NOTIFY_MAX_EVENTS = 10
    gathering = Gathering()
    for number in range(300):
        gathering.add("s", Pushed(CHUNK, 0, 1, 100), [(None, f"t{number}.{place}", None, b"{}") for place in range(50)])
    assert gathering.n == gathering.counts.total() == 15_000
    assert len(gathering.counts) < 6000
    assert gathering._held_events == sum(len(held.events) for held in gathering._held) <= 500
    assert [arrival.number for arrival in gathering.shown()] == list(range(14_990, 15_000))


def test_few_large_events_are_bounded_too(settings: Settings) -> None:
    gathering = Gathering()
    for number in range(40):
        size = 1 << 19
        gathering.add("s", Pushed(CHUNK, number, 1, size), [(None, None, None, b"x" * size)])
    assert gathering._held_bytes <= MOST_HELD_BYTES
    assert [arrival.number for arrival in gathering.shown()] == [38, 39]
    assert gathering.counts.total() == 40
