"""What travels in the feed: numbered batches of arrived events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

from ingest.feed import Entry
from ingest.rollups import OTHER_TYPES
from monitor.filters import Document, Filter


@dataclass(frozen=True, slots=True)
class Matches:
    """`count` events pass a filter; `events` of these, so many `characters`, are there to be shown; of `unchecked`
    nobody can tell.
    """

    count: int
    unchecked: int
    events: list[str]
    characters: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Events `first` to `last` of an epoch.

    `counts` holds (stream, type, number) and adds up to all; `events` some of them, oldest first, as (stream, type,
    JSON text).
    """

    epoch: str
    first: int
    last: int
    counts: Sequence[Sequence[Any]]
    events: Sequence[Sequence[Any]]
    _matches: dict[Filter, Matches] = field(default_factory=dict, compare=False, repr=False)
    _documents: list[Document] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def of_entry(cls, epoch: str, entry: Entry) -> Self:
        return cls(epoch, entry.first, entry.last, orjson.loads(entry.counts), orjson.loads(entry.events))

    @classmethod
    def of_message(cls, message: dict[str, Any]) -> Self:
        entry = Entry(message["from"], message["to"], message["counts"], message["events"])
        return cls.of_entry(message["epoch"], entry)

    def matching(self, filter: Filter) -> Matches:
        """How many of all, and which of the shown, a filter lets through; worked out once for all who ask."""
        if filter not in self._matches:
            self._matches[filter] = self._match(filter)
        return self._matches[filter]

    def _match(self, filter: Filter) -> Matches:
        count = sum(number for stream, type, number in self.counts if filter.matches(stream, type))
        passing = [place for place, (stream, type, _) in enumerate(self.events) if filter.matches(stream, type)]
        unchecked = self._folded(filter)
        if filter.words:
            unchecked += count - len(passing)
            passing = [place for place in passing if filter.holds(self._document(place))]
            count = len(passing)
        shown = [self.events[place][2] for place in passing]
        return Matches(count, unchecked, shown, sum(map(len, shown)))

    def _folded(self, filter: Filter) -> int:
        """Events in a flood of types, of which a filter by type knows nothing."""
        if filter.type is None:
            return 0
        return sum(
            number
            for stream, type, number in self.counts
            if type == OTHER_TYPES and filter.sees(stream) and not filter.matches(stream, type)
        )

    def _document(self, place: int) -> Document:
        if not self._documents:
            self._documents.extend(Document(text) for _, _, text in self.events)
        return self._documents[place]


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that were not received; `last` = `first` − 1 where a new epoch begins and none is missing."""

    epoch: str
    first: int
    last: int
    reason: str
