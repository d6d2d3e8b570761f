"""`events` frames in the making: exact counts, and as many of the newest events as a frame may hold."""

from collections import deque
from dataclasses import dataclass, field
from itertools import chain

from monitor.batches import Matches
from monitor.frames import encode

MAX_EVENTS_PER_FRAME = 500
MAX_FRAME_CHARACTERS = 1_048_576


@dataclass(slots=True)
class Frame:
    """Its events are lists that clients share, each with its number of characters."""

    epoch: str
    first: int
    last: int
    matched: int = 0
    unchecked: int = 0
    parts: deque[tuple[list[str], int]] = field(default_factory=deque)
    shown: int = 0
    characters: int = 0

    @property
    def omitted(self) -> int:
        return self.matched - self.shown

    @property
    def worth_sending(self) -> bool:
        """A stretch without a match waits for one."""
        return self.matched > 0 or self.unchecked > 0

    def has_room_for(self, events: int, characters: int) -> bool:
        return self.shown + events <= MAX_EVENTS_PER_FRAME and self.characters + characters <= MAX_FRAME_CHARACTERS

    def add(self, last: int, matches: Matches) -> None:
        self._count(last, matches.count, matches.unchecked)
        self._append(matches.events, matches.characters)
        self.keep(MAX_EVENTS_PER_FRAME, MAX_FRAME_CHARACTERS)

    def absorb(self, newer: "Frame") -> None:
        """Cover what the next frame covers, with its events."""
        self._count(newer.last, newer.matched, newer.unchecked)
        for part in newer.parts:
            self._append(*part)
        self.keep(MAX_EVENTS_PER_FRAME, MAX_FRAME_CHARACTERS)

    def keep(self, events: int, characters: int) -> None:
        """Drop the oldest events past these limits; the newest stays if any may, however long it is."""
        if self.shown <= events and self.characters <= characters:
            return
        parts, self.parts = self.parts, deque()
        self.shown = self.characters = 0
        for part, size in reversed(parts):
            if self.shown + len(part) <= events and self.characters + size <= characters:
                self._append_left(part, size)
            else:
                self._append_left(*self._newest(part, events, characters))
                return

    def _newest(self, part: list[str], events: int, characters: int) -> tuple[list[str], int]:
        """As much of a part as fits before what is there."""
        fitting = size = 0
        for event in reversed(part):
            first = self.shown + fitting == 0 and characters > 0
            if self.shown + fitting >= events or (self.characters + size + len(event) > characters and not first):
                break
            fitting, size = fitting + 1, size + len(event)
        return part[len(part) - fitting :], size

    def _count(self, last: int, matched: int, unchecked: int) -> None:
        self.last = last
        self.matched += matched
        self.unchecked += unchecked

    def _append(self, part: list[str], size: int) -> None:
        self.parts.append((part, size))
        self.shown += len(part)
        self.characters += size

    def _append_left(self, part: list[str], size: int) -> None:
        self.parts.appendleft((part, size))
        self.shown += len(part)
        self.characters += size

    def encode(self, id: str, end: int) -> str:
        """`end`: the last number that is known."""
        head = encode(
            "events",
            id=id,
            epoch=self.epoch,
            **{"from": self.first, "to": self.last, "n": self.last - self.first + 1},
            matched=self.matched,
            omitted=self.omitted,
            unchecked=self.unchecked,
            behind=max(0, end - self.last),
        )
        # The events are JSON already: joined, never parsed.
        return f'{head[:-1]},"events":[{",".join(chain.from_iterable(part for part, _ in self.parts))}]}}'
