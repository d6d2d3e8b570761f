"""What of the feed a subscription is about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Filter:
    """None stands for any. A stream name that is not in `streams` stays unseen, also in counts."""

    streams: frozenset[str] | None = None
    type: str | None = None

    def matches(self, stream: str, type: str | None) -> bool:
        return (self.streams is None or stream in self.streams) and (self.type is None or type == self.type)
