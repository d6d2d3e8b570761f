"""Reading events back, newest first or oldest first, page by page.

A cursor is the id of the last event of a page. Ids ascend with the time of receipt, so a page never repeats or skips
an event that was there when the first page was read, whatever arrives meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from ingest.chunks import received_at
from ingest.models import Event

MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events: of these streams (None: all), of this type and key, received in [starts_at, ends_at)."""

    streams: frozenset[str] | None = None
    type: str | None = None
    key: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    oldest_first: bool = False


def read_page(query: EventQuery, limit: int, cursor: UUID | None = None) -> tuple[list[Event], UUID | None]:
    """At most `limit` events after the cursor, and the cursor of the next page (None after the last)."""
    found = list(_after(_select(query), cursor, query.oldest_first)[: limit + 1])
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def read_event(id: UUID) -> Event | None:
    """One event, from the one partition in which it can be."""
    return with_payload_text(Event.objects.filter(received_at=received_at(id), id=id)).first()


def with_payload_text(events: "QuerySet[Event]") -> "QuerySet[Event]":
    return events.select_related("stream").annotate(payload_text=Cast("payload", TextField())).defer("payload")


def as_dict(event: Any) -> dict[str, Any]:
    """An event as the API shows it."""
    return {
        "id": event.id,
        "stream": event.stream.name,
        "type": event.type,
        "key": event.key,
        "time": event.time,
        "received_at": event.received_at,
        "payload": orjson.Fragment(event.payload_text),
    }


def as_dicts(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [as_dict(event) for event in events]


def _select(query: EventQuery) -> "QuerySet[Event]":
    events = with_payload_text(Event.objects.all())
    if query.streams is not None:
        events = events.filter(stream__name__in=query.streams)
    if query.type is not None:
        events = events.filter(type=query.type)
    if query.key is not None:
        events = events.filter(key=query.key)
    if query.starts_at is not None:
        events = events.filter(received_at__gte=query.starts_at)
    if query.ends_at is not None:
        events = events.filter(received_at__lt=query.ends_at)
    order = ("received_at", "id") if query.oldest_first else ("-received_at", "-id")
    return events.order_by(*order)


def _after(events: "QuerySet[Event]", cursor: UUID | None, oldest_first: bool) -> "QuerySet[Event]":
    """The bound on `received_at` is implied by the other; it is what lets PostgreSQL leave out partitions."""
    if cursor is None:
        return events
    moment = received_at(cursor)
    if oldest_first:
        later = Q(received_at__gt=moment) | Q(received_at=moment, id__gt=cursor)
        return events.filter(later, received_at__gte=moment)
    earlier = Q(received_at__lt=moment) | Q(received_at=moment, id__lt=cursor)
    return events.filter(earlier, received_at__lte=moment)
