"""What travels in the feed: numbered batches of arrived events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict

from monitor.filters import Filter


class Announcement(TypedDict):
    """What `ingest` tells about arrivals.

    `n` events arrived; `counts` holds (stream, type, number) and adds up to n; `events` the newest of them,
    oldest first, as (stream, type, JSON text). `accepted_at` is the Unix time of the oldest.
    """

    n: int
    counts: Sequence[Sequence[Any]]
    events: Sequence[Sequence[Any]]
    accepted_at: float


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the feed: numbers count within an epoch, which ends when Redis loses what it held."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Matches:
    count: int
    events: list[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Events `first` to `last` of an epoch. Those shown are its newest, so they have the last numbers."""

    epoch: str
    first: int
    last: int
    counts: Sequence[Sequence[Any]]
    events: Sequence[Sequence[Any]]
    _matches: dict[Filter, Matches] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of_message(cls, message: dict[str, Any]) -> Self:
        return cls(message["epoch"], message["from"], message["to"], message["counts"], message["events"])

    def message(self) -> dict[str, Any]:
        """As it is sent to the group of the feed."""
        return {
            "type": "feed.batch",
            "epoch": self.epoch,
            "from": self.first,
            "to": self.last,
            "counts": self.counts,
            "events": self.events,
        }

    def matching(self, filter: Filter) -> Matches:
        """How many of all, and which of the shown, a filter lets through; worked out once for all who ask."""
        if filter not in self._matches:
            self._matches[filter] = Matches(
                count=sum(number for stream, type, number in self.counts if filter.matches(stream, type)),
                events=[text for stream, type, text in self.events if filter.matches(stream, type)],
            )
        return self._matches[filter]


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that were not received; `last` = `first` − 1 where a new epoch begins and none is missing."""

    epoch: str
    first: int
    last: int
    reason: str
