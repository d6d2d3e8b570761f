"""Telling the live feed which records changed.

Each change is an event of the stream `records.<source>`, of the type inserted, updated or deleted, with the payload
{"source", "key", "value"}; the value of a deleted record is null. They are events like any other: accepted into the
buffer, numbered, stored, kept as long as the stream's are. So whoever watches needs to know nothing new, what is
received is what will be stored, and an event that was seen or missed can be read through the API.

Of one commit at most NOTIFY_MAX_EVENTS changes are told one by one, the last ones; the others, and values of more than
64 KiB, are counted in one event of the type `more`: {"source", "inserted", "updated", "deleted"}. What is told is told
once and after the commit, and never when the process dies between: a run that is begun again finds these records
unchanged. It is for those who watch, the records are what counts.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

import orjson
from django.conf import settings

from access.reach import changes_stream
from ingest import counters
from ingest.envelope import Event
from ingest.gathering import MOST_BYTES
from sources.errors import LoadFailed
from sources.load.announcer import announcer
from sources.load.intake import Intake

logger = logging.getLogger(__name__)

MOST_VALUE_BYTES = 1 << 16
PATIENCE_SECONDS = 1.0

Kind = Literal["inserted", "updated", "deleted"]


class Change(NamedTuple):
    """`value` is JSON text."""

    kind: Kind
    key: str
    value: bytes


class Changes:
    """Those of the records of one source since the last commit. After a rollback, throw it away."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._counts: Counter[str] = Counter()
        self._newest: deque[Change] = deque(maxlen=settings.NOTIFY_MAX_EVENTS)

    def note(self, counts: dict[Kind, int], newest: Iterable[Change]) -> None:
        """So many records changed, of which these are the newest, oldest first."""
        self._counts.update(counts)
        self._newest.extend(change for change in newest if len(change.value) <= MOST_VALUE_BYTES)

    def announce(self) -> None:
        """Call after the commit. While the buffer is full or away, nobody sees these changes live, and that is all."""
        events = self._events()
        self._counts.clear()
        self._newest.clear()
        if not events:
            return
        try:
            intake = Intake(changes_stream(self._source), PATIENCE_SECONDS)
            intake.push(intake.stream(), events, sum(len(payload) for *_, payload in events))
        except LoadFailed as error:
            logger.warning("Changes of records of %s cannot be shown live: %s", self._source, error)
            return
        counters.count("accepted_events", len(events))
        announcer().flush()

    def _events(self) -> list[Event]:
        events: list[Event] = []
        missing, size = Counter(self._counts), 0
        for kind, key, value in reversed(self._newest):
            payload = orjson.dumps({"source": self._source, "key": key, "value": orjson.Fragment(value)})
            size += len(payload)
            if size > MOST_BYTES:
                break
            events.append((None, kind, None, payload))
            missing[kind] -= 1
        events.reverse()
        if more := +missing:
            kinds = ("inserted", "updated", "deleted")
            counts = {"source": self._source, **{kind: more[kind] for kind in kinds}}
            events.append((None, "more", None, orjson.dumps(counts)))
        return events
