"""What one subscription has still to be sent.

Events gather in a frame whose size is bounded, however long the client takes: past the limit the oldest are
dropped from it and counted, so a slow client costs a constant and still gets exact numbers.
"""

from collections import deque
from dataclasses import dataclass, field

from monitor.batches import Batch, Gap, Position
from monitor.filters import Filter
from monitor.frames import encode

MAX_EVENTS_PER_FRAME = 500
MAX_FRAME_CHARACTERS = 1_048_576
MAX_PENDING = 10


@dataclass(slots=True)
class _Frame:
    """An `events` frame in the making."""

    epoch: str
    first: int
    last: int
    matched: int = 0
    events: deque[str] = field(default_factory=deque)
    characters: int = 0

    def add(self, batch: Batch, filter: Filter) -> None:
        matches = batch.matching(filter)
        self.last = batch.last
        self.matched += matches.count
        for event in matches.events[-MAX_EVENTS_PER_FRAME:]:
            self.events.append(event)
            self.characters += len(event)
        self._drop_oldest()

    def encode(self, id: str) -> str:
        head = encode(
            "events",
            id=id,
            epoch=self.epoch,
            **{"from": self.first, "to": self.last, "n": self.last - self.first + 1},
            matched=self.matched,
            omitted=self.matched - len(self.events),
        )
        # The events are JSON already: joined, never parsed.
        return f'{head[:-1]},"events":[{",".join(self.events)}]}}'

    def _drop_oldest(self) -> None:
        while len(self.events) > MAX_EVENTS_PER_FRAME or (
            self.characters > MAX_FRAME_CHARACTERS and len(self.events) > 1
        ):
            self.characters -= len(self.events.popleft())


class Subscription:
    """Covers every number after the position it was made at, by frames and gaps, in order."""

    def __init__(self, id: str, filter: Filter, position: Position) -> None:
        self.id = id
        self._filter = filter
        self._epoch = position.epoch
        self._next = position.seq + 1
        self._pending: deque[_Frame | Gap] = deque()

    @property
    def due(self) -> bool:
        """Whether there is something worth sending: a stretch without a match waits for one."""
        return len(self._pending) > 1 or any(_worth_sending(item) for item in self._pending)

    def add_batch(self, batch: Batch) -> None:
        frame = self._pending[-1] if self._pending else None
        if not isinstance(frame, _Frame):
            frame = _Frame(self._epoch, self._next, self._next - 1)
            self._pending.append(frame)
        frame.add(batch, self._filter)
        self._next = batch.last + 1

    def add_gap(self, gap: Gap) -> None:
        self._pending.append(gap)
        self._epoch, self._next = gap.epoch, gap.last + 1
        if len(self._pending) > MAX_PENDING:
            oldest = self._pending[0]
            first = oldest.first if oldest.epoch == gap.epoch else 1
            self._pending = deque([Gap(gap.epoch, first, gap.last, "slow_client")])

    def frames(self) -> list[str]:
        """What is to be sent now; it is no longer pending then."""
        waiting = deque[_Frame | Gap]()
        if self._pending and not _worth_sending(self._pending[-1]):
            waiting.append(self._pending.pop())
        frames = [item.encode(self.id) if isinstance(item, _Frame) else self._encode(item) for item in self._pending]
        self._pending = waiting
        return frames

    def _encode(self, gap: Gap) -> str:
        return encode("gap", id=self.id, epoch=gap.epoch, **{"from": gap.first, "to": gap.last}, reason=gap.reason)


def _worth_sending(item: _Frame | Gap) -> bool:
    return isinstance(item, Gap) or item.matched > 0
