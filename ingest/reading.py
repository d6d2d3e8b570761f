"""Reading events back, newest first or oldest first, page by page.

A cursor is the id of the last event of a page. Ids ascend with the time of receipt, so a page never repeats or skips
an event that was there when the first page was read, whatever arrives meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from psycopg.errors import QueryCanceled

from ingest.chunks import received_at
from ingest.columns import Selection
from ingest.conditions import Condition, joined
from ingest.errors import QueryTooSlow
from ingest.models import Event, FieldIndex, IndexKind, Stream
from ingest.selection import EVENTS

MOST_EVENTS = 1000
PAYLOAD = '"event"."payload"'
ADVICE = "Narrow starts_at and ends_at, name one stream, or index the field that is asked for."


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events: of these streams and types (None: all) and this key, received in [starts_at, ends_at), whose
    payloads meet all conditions.
    """

    streams: frozenset[str] | None = None
    types: frozenset[str] | None = None
    key: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    conditions: tuple[Condition, ...] = ()
    oldest_first: bool = False


def read_page(query: EventQuery, limit: int, cursor: UUID | None = None) -> tuple[list[Event], UUID | None]:
    """At most `limit` events after the cursor, and the cursor of the next page (None after the last)."""
    found = list(with_payload_text(_page(query, limit, cursor)))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def read_lines(
    query: EventQuery, selection: Selection, limit: int, cursor: UUID | None = None
) -> tuple[list[orjson.Fragment], UUID | None]:
    """As read_page, within the time limit; each event as the JSON of what is selected of it. Raises QueryTooSlow."""
    line = EVENTS.json_line(selection)
    with time_limit():
        page = _page(query, limit, cursor).annotate(line=RawSQL(*line, output_field=TextField()))
        found = list(page.values_list("id", "line"))
    lines = [orjson.Fragment(line) for _, line in found[:limit]]
    return lines, found[limit - 1][0] if len(found) > limit else None


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


def select(query: EventQuery) -> "QuerySet[Event]":
    """In no order."""
    events = Event.objects.all()
    if query.streams is not None:
        # By id, and looked up before: only so does PostgreSQL know how rare the events of a stream are.
        ids = list(Stream.objects.filter(name__in=query.streams).values_list("pk", flat=True))
        events = events.filter(stream_id__in=ids or [0])
    if query.types is not None:
        events = events.filter(type__in=query.types)
    if query.key is not None:
        events = events.filter(key=query.key)
    if query.starts_at is not None:
        events = events.filter(received_at__gte=query.starts_at)
    if query.ends_at is not None:
        events = events.filter(received_at__lt=query.ends_at)
    if query.conditions:
        text, parameters = joined(query.conditions, PAYLOAD, for_index=_may_use_index(query))
        events = events.extra(where=[text], params=parameters)
    return events


def _may_use_index(query: EventQuery) -> bool:
    """Whether one on numbers is wished for. It is of one stream: where others are asked for, too, it is of no use."""
    if query.streams is None or len(query.streams) != 1:
        return False
    return FieldIndex.objects.filter(kind=IndexKind.NUMBER, stream__name__in=query.streams).order_by().exists()


def after(events: "QuerySet[Event]", cursor: UUID | None, oldest_first: bool) -> "QuerySet[Event]":
    """In order. The bound on `received_at` is implied by the other; it lets PostgreSQL leave out partitions."""
    events = events.order_by(*(("received_at", "id") if oldest_first else ("-received_at", "-id")))
    if cursor is None:
        return events
    moment = received_at(cursor)
    if oldest_first:
        later = Q(received_at__gt=moment) | Q(received_at=moment, id__gt=cursor)
        return events.filter(later, received_at__gte=moment)
    earlier = Q(received_at__lt=moment) | Q(received_at=moment, id__lt=cursor)
    return events.filter(earlier, received_at__lte=moment)


@contextmanager
def time_limit(advice: str = ADVICE, **parameters: str) -> Iterator[None]:
    """A transaction whose statements may take QUERY_TIMEOUT_SECONDS each, with these parameters of PostgreSQL.

    Raises QueryTooSlow, with the advice.
    """
    try:
        with transaction.atomic():
            _set_locally(statement_timeout=_time_left(0), **parameters)
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise QueryTooSlow(settings.QUERY_TIMEOUT_SECONDS, advice) from error
        raise


def limit_further(spent_seconds: float) -> None:
    """Within `time_limit`, when so much was spent on the same question: what follows has what is left."""
    _set_locally(statement_timeout=_time_left(spent_seconds))


def _time_left(spent_seconds: float) -> str:
    return f"{max(1, round((settings.QUERY_TIMEOUT_SECONDS - spent_seconds) * 1000))}ms"


def _set_locally(**parameters: str) -> None:
    """Until the end of the transaction."""
    calls = ", ".join(["set_config(%s, %s, true)"] * len(parameters))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [text for parameter in parameters.items() for text in parameter])


def _page(query: EventQuery, limit: int, cursor: UUID | None) -> "QuerySet[Event]":
    return after(select(query), cursor, query.oldest_first)[: limit + 1]
