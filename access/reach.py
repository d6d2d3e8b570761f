"""How far a permission goes: to which streams and which sources."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q


def changes_stream(source: str) -> str:
    """The stream in which the changes of a source's records are told; it belongs to the source."""
    return f"records.{source}"


@dataclass(frozen=True, slots=True)
class Reach:
    """Names of streams and of sources; None stands for all that there are and will be."""

    streams: frozenset[str] | None = frozenset()
    sources: frozenset[str] | None = frozenset()

    def __or__(self, other: "Reach") -> "Reach":
        return Reach(_either(self.streams, other.streams), _either(self.sources, other.sources))

    def __bool__(self) -> bool:
        return self != NOWHERE

    def has_stream(self, name: str) -> bool:
        return self.streams is None or name in self.streams

    def has_source(self, name: str | None) -> bool:
        """None: what belongs to no source."""
        return self.sources is None or name in self.sources

    def of_streams(self, field: str = "name") -> Q:
        """A condition on the field that holds the stream's name."""
        return Q() if self.streams is None else Q(**{f"{field}__in": self.streams})

    def of_sources(self, field: str = "name") -> Q:
        """A condition on the field that holds the source's name."""
        return Q() if self.sources is None else Q(**{f"{field}__in": self.sources})

    def with_changes(self) -> "Reach":
        """And the streams that belong to the sources."""
        if self.streams is None or self.sources is None:
            return self
        return Reach(self.streams | {changes_stream(source) for source in self.sources}, self.sources)


NOWHERE = Reach()
EVERYWHERE = Reach(None, None)


def reach_of(streams: Iterable[str], sources: Iterable[str]) -> Reach:
    """What is limited to these; with none of both, what is not limited."""
    limited = Reach(frozenset(streams), frozenset(sources))
    return limited or EVERYWHERE


def _either(some: frozenset[str] | None, others: frozenset[str] | None) -> frozenset[str] | None:
    return None if some is None or others is None else some | others
