"""What a process accepted since it last announced: counted exactly, and enough of it held to show the newest."""

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from ingest.envelope import Event
from ingest.pusher import Pushed
from ingest.rollups import OTHER_TYPES

MOST_BYTES = 1 << 20
MOST_COUNTS = 500
MOST_HELD_BYTES = 16 << 20

Kind = tuple[str, str | None]
"""Stream and type."""


class Arrival(NamedTuple):
    """An event, its `number` among those of the gathering and its `index` in the chunk."""

    number: int
    stream: str
    chunk_id: UUID
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on it
    event: Event


class _Held(NamedTuple):
    """Events of one push, the first of them with this number and index."""

    number: int
    stream: str
    chunk_id: UUID
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on it
    events: Sequence[Event]


class Gathering:
    """Adding costs by push and type, hardly by event: which of them are shown is settled when they are announced."""

    def __init__(self) -> None:
        self.n = 0
        self.counts: Counter[Kind] = Counter()
        self.oldest_at = 0.0
        self._held: list[_Held] = []
        self._held_counts: Counter[Kind] = Counter()
        self._held_events = self._held_bytes = 0

    def add(self, stream: str, pushed: Pushed, events: Sequence[Event]) -> None:
        if not self.n:
            self.oldest_at = time.time()
        for type_, count in Counter([event[1] for event in events]).items():
            self.counts[stream, type_] += count
            self._held_counts[stream, type_] += count
        self._held.append(_Held(self.n, stream, pushed.chunk_id, pushed.first, events))
        self._held_events += len(events)
        self._held_bytes += pushed.payload_bytes
        self.n += len(events)
        if self._held_events > 50 * settings.NOTIFY_MAX_EVENTS or self._held_bytes > MOST_HELD_BYTES:
            self._trim()

    def shown(self) -> list[Arrival]:
        """As many as an announcement shows, oldest first: of each kind the same number, as far as it has so many.

        So what is rare is seen beside what is frequent.
        """
        return within(sorted(self._newest()), MOST_BYTES)

    def _newest(self) -> list[Arrival]:
        wanted = fair_shares(self._held_counts, settings.NOTIFY_MAX_EVENTS)
        missing = sum(wanted.values())
        newest: list[Arrival] = []
        for number, stream, chunk_id, index, events in reversed(self._held):
            for place in range(len(events) - 1, -1, -1):
                kind = (stream, events[place][1])
                if wanted[kind]:
                    wanted[kind] -= 1
                    newest.append(Arrival(number + place, stream, chunk_id, index + place, events[place]))
            if len(newest) == missing:
                break
        return newest

    def _trim(self) -> None:
        """While Redis is away this grows without end, but for this."""
        self.counts = folded(self.counts, set(), 10 * MOST_COUNTS)
        shown = self.shown()
        self._held = [_Held(*arrival[:4], [arrival.event]) for arrival in shown]
        self._held_counts = Counter((arrival.stream, arrival.event[1]) for arrival in shown)
        self._held_events = len(shown)
        self._held_bytes = sum(len(arrival.event[3]) for arrival in shown)


def fair_shares(wanted: dict[Kind, int], most: int) -> dict[Kind, int]:
    """Divide `most` so that nobody gets more than wanted, and who wants more gets the same (max-min fairness)."""
    shares, left = {}, most
    for place, (kind, number) in enumerate(sorted(wanted.items(), key=lambda item: item[1])):
        shares[kind] = min(number, left // (len(wanted) - place))
        left -= shares[kind]
    return shares


def folded(counts: Counter[Kind], shown: set[Kind], most: int) -> Counter[Kind]:
    """The counts, the rarest of a flood of types put together as OTHER_TYPES of their stream; the sum stays.

    Types of events that are shown keep a count of their own.
    """
    if len(counts) <= most:
        return counts
    kept: Counter[Kind] = Counter()
    for place, (kind, n) in enumerate(counts.most_common()):
        kept[kind if place < most or kind in shown else (kind[0], OTHER_TYPES)] += n
    return kept


def within(shown: list[Arrival], most_bytes: int) -> list[Arrival]:
    """As many of the newest as fit together."""
    sizes = itertools.accumulate(len(arrival.event[3]) for arrival in reversed(shown))
    fitting = sum(1 for _ in itertools.takewhile(lambda size: size <= most_bytes, sizes))
    return shown[len(shown) - fitting :]
