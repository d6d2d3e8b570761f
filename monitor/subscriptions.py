"""What one subscription has still to be sent.

Events gather in frames whose size and number are bounded, however long the client takes: past the limit the oldest
events are dropped and counted, so a slow client costs a constant and still gets exact numbers.
"""

import time
from collections import deque
from collections.abc import Iterator
from itertools import pairwise

from ingest.feed import Position
from monitor.batches import Batch, Gap
from monitor.event_frames import MAX_EVENTS_PER_FRAME, MAX_FRAME_CHARACTERS, Frame
from monitor.filters import Filter
from monitor.frames import encode
from monitor.pace import Bucket
from monitor.replay import Stretch

MAX_PENDING = 10
PROGRESS_SECONDS = 5.0

Pending = Frame | Gap


class Subscription:
    """Covers every number after the position it was made at, by frames and gaps, in order.

    One that is not `live` has to catch up: it takes what was read in the log, until that is as far as the hub is.
    """

    def __init__(
        self, id: str, filter: Filter, position: Position, *, live: bool = True, max_rate: int | None = None
    ) -> None:
        self.id = id
        self.live = live
        self._filter = filter
        self._epoch, self._next = position.epoch, position.seq + 1
        self._end = position.seq
        self._pending: deque[Pending] = deque()
        self._max_rate = max_rate
        self._tokens = Bucket(max_rate or 0, 0.0)
        self._told_at = time.monotonic()

    @property
    def position(self) -> Position:
        """What is covered by what was sent or is pending."""
        return Position(self._epoch, self._next - 1)

    def due(self, now: float) -> bool:
        """Whether there is something worth sending, or worth reading."""
        return (
            not self.live
            or any(_worth_sending(item) for item in self._pending)
            or bool(self._pending and self._overdue(now))
        )

    def on_batch(self, batch: Batch) -> None:
        """What the hub heard."""
        if self.live:
            self._add(batch)

    def on_gap(self, gap: Gap) -> None:
        if self.live:
            self._add(gap)

    def catch_up(self, stretch: Stretch, hub: Position) -> None:
        """Take what the log has after `position`; with that, it may be as far as the hub."""
        if stretch.position.epoch != self._epoch:
            self._add(Gap(stretch.position.epoch, 1, 0, "new_epoch"))
            return
        self._end = max(self._end, stretch.position.seq)
        for item in stretch.items:
            if len(self._pending) >= MAX_PENDING:
                return  # it is read again once this is sent
            self._add(item)
        self.live = stretch.complete and hub.epoch == self._epoch and hub.seq < self._next

    def take(self, now: float, characters: int | None = None) -> list[Pending]:
        """What is to be sent now, of events at most so many characters and as `max_rate` allows; newest first served.

        It is no longer pending then.
        """
        items = list(self._pending)
        self._pending.clear()
        if items and not _worth_sending(items[-1]) and not self._overdue(now):
            self._pending.append(items.pop())
        if items:
            self._told_at = now
        self._limit([item for item in items if isinstance(item, Frame)], now, characters)
        return list(_joined(items))

    def encode(self, item: Pending) -> str:
        if isinstance(item, Frame):
            return item.encode(self.id, self._end if item.epoch == self._epoch else item.last)
        covered = {"from": item.first, "to": item.last}
        return encode("gap", id=self.id, epoch=item.epoch, **covered, reason=item.reason)

    def _overdue(self, now: float) -> bool:
        """After a while, that nothing matched is news too: a client that comes back need not ask for it again."""
        return now - self._told_at >= PROGRESS_SECONDS

    def _add(self, item: Batch | Gap) -> None:
        """What is known already, or is of an epoch that is over, changes nothing."""
        if isinstance(item, Gap) and item.epoch != self._epoch:
            self._append(item)
            self._epoch, self._next, self._end = item.epoch, item.last + 1, item.last
        elif item.epoch == self._epoch and item.last >= self._next:
            if isinstance(item, Batch):
                self._add_batch(item)
            else:
                self._append(Gap(item.epoch, self._next, item.last, item.reason))
            self._next = item.last + 1
            self._end = max(self._end, item.last)

    def _add_batch(self, batch: Batch) -> None:
        matches = batch.matching(self._filter)
        last = self._pending[-1] if self._pending else None
        if isinstance(last, Frame) and last.has_room_for(len(matches.events), matches.characters):
            last.add(batch.last, matches)
        else:
            frame = Frame(self._epoch, self._next, self._next - 1)
            frame.add(batch.last, matches)
            self._append(frame)

    def _append(self, item: Pending) -> None:
        self._pending.append(item)
        if len(self._pending) > MAX_PENDING:
            self._pending = deque(_merged(list(self._pending)))

    def _limit(self, frames: list[Frame], now: float, characters: int | None) -> None:
        events = MAX_EVENTS_PER_FRAME * MAX_PENDING
        if self._max_rate is not None:
            events = self._tokens.fill(self._max_rate, self._max_rate, now)
        for frame in reversed(frames):
            frame.keep(events, MAX_FRAME_CHARACTERS if characters is None else characters)
            events -= frame.shown
            characters = None if characters is None else characters - frame.characters
            self._tokens.spend(frame.shown)


def _joined(items: list[Pending]) -> Iterator[Pending]:
    """Neighbouring frames that fit into one are one: each costs, however little is in it."""
    last: Pending | None = None
    for item in items:
        if isinstance(last, Frame) and isinstance(item, Frame) and last.has_room_for(item.shown, item.characters):
            last.absorb(item)
            continue
        if last is not None:
            yield last
        last = item
    if last is not None:
        yield last


def _merged(items: list[Pending]) -> Iterator[Pending]:
    """Fewer items: the two oldest neighbours that are frames are one; without such, all is a gap."""
    for place, (older, newer) in enumerate(pairwise(items)):
        if isinstance(older, Frame) and isinstance(newer, Frame):
            older.absorb(newer)
            yield from (*items[: place + 1], *items[place + 2 :])
            return
    first, end = items[0].first, items[-1]
    if items[0].epoch != end.epoch:
        first = 1
        yield Gap(end.epoch, 1, 0, "new_epoch")
    if end.last >= first:
        yield Gap(end.epoch, first, end.last, "slow_client")


def _worth_sending(item: Pending) -> bool:
    return isinstance(item, Gap) or item.worth_sending
