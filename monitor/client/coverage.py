"""Which numbers of the feed a subscription has heard of, and what of them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from monitor.client.errors import BadArgument, ProtocolViolation
from monitor.client.frames import Events, Gap

NEW_EPOCH = "new_epoch"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the feed; written EPOCH:SEQ."""

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadArgument."""
        epoch, _, seq = text.rpartition(":")
        if not epoch or not (seq.isascii() and seq.isdigit()):
            raise BadArgument(f"{text!r} is not a position: write EPOCH:SEQ, as in 9f3c51d2e07a4b18:1300.")
        return cls(epoch, int(seq))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


@dataclass(slots=True)
class Coverage:
    """Holds the server to its word: every number is in an `events` frame or a `gap`, once, and the sums are right.

    `covered` numbers came in frames; `matched` of their events pass the subscription, `shown` and `omitted` add up to
    these; `unchecked` could not be told. `missing` numbers came in gaps, by reason. `renumbered` counts the times that
    the server lost its numbering, with an unknown number of events. `behind`: what the newest frame said.
    """

    position: Position | None = None
    covered: int = 0
    matched: int = 0
    shown: int = 0
    omitted: int = 0
    unchecked: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    renumbered: int = 0
    behind: int = 0

    def begin(self, start: Position) -> None:
        """The server says where it begins. Raises ProtocolViolation unless that is where the last frame ended."""
        if self.position is not None and start != self.position:
            raise ProtocolViolation(f"'ok' says {start} instead of 'since', {self.position}")
        self.position = start

    def take(self, frame: Events | Gap) -> None:
        """Raises ProtocolViolation."""
        if isinstance(frame, Events):
            _check_sums(frame)
            self._advance(frame)
            self._count(frame)
        elif frame.reason == NEW_EPOCH:
            self.renumber(frame)
        else:
            self._advance(frame)
            self.missing[frame.reason] += frame.last - frame.first + 1

    def renumber(self, gap: Gap) -> None:
        """Numbers begin again. Raises ProtocolViolation."""
        if (gap.first, gap.last) != (1, 0):
            raise ProtocolViolation(f"a gap {NEW_EPOCH!r} goes from {gap.first} to {gap.last}, not from 1 to 0")
        self.position = Position(gap.epoch, 0)
        self.renumbered += 1

    def _advance(self, frame: Events | Gap) -> None:
        assert self.position is not None, "begin comes first"
        if frame.epoch != self.position.epoch:
            raise ProtocolViolation(f"epoch {frame.epoch} follows {self.position.epoch} without a gap {NEW_EPOCH!r}")
        if frame.first != self.position.seq + 1:
            raise ProtocolViolation(f"a frame begins at {frame.first} after one that ended at {self.position.seq}")
        if frame.last < frame.first:
            raise ProtocolViolation(f"a frame goes from {frame.first} to {frame.last}")
        self.position = Position(frame.epoch, frame.last)

    def _count(self, frame: Events) -> None:
        self.covered += frame.n
        self.matched += frame.matched
        self.shown += len(frame.events)
        self.omitted += frame.omitted
        self.unchecked += frame.unchecked
        self.behind = frame.behind


def _check_sums(frame: Events) -> None:
    if frame.n != frame.last - frame.first + 1:
        raise ProtocolViolation(f"n is {frame.n} from {frame.first} to {frame.last}")
    if frame.matched != len(frame.events) + frame.omitted:
        raise ProtocolViolation(
            f"{frame.matched} events match, of which {len(frame.events)} are shown and {frame.omitted} omitted"
        )
    if min(frame.omitted, frame.unchecked, frame.behind) < 0 or frame.matched + frame.unchecked > frame.n:
        raise ProtocolViolation(
            f"of {frame.n} events {frame.matched} match, {frame.unchecked} are unchecked, {frame.omitted} omitted;"
            f" {frame.behind} are to come"
        )
