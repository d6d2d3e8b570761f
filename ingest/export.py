"""Events as files, oldest first."""

from uuid import UUID

from ingest.conditions import joined
from ingest.members import Sql
from ingest.models import Stream
from ingest.pieces import ROWS_A_PIECE, Reader
from ingest.reading import ADVICE, PAYLOAD, EventQuery, after, select
from ingest.selection import EVENTS

SCANNED = ("id", "received_at", "time", "stream_id", "key", "type", "payload")


def reader(query: EventQuery) -> Reader:
    return Reader(
        table=EVENTS,
        scan=lambda last: _scan(query, last),
        wanted=_wanted(query),
        order="received_at, id",
        last='max("event"."id"::text COLLATE "C")',
        advice=ADVICE,
        settings={"enable_sort": "off"},  # an index has them in order; sorting would read all that is left
    )


def _scan(query: EventQuery, last: str | None) -> Sql:
    """The events that are read: what an index would not find is left in."""
    streams = query.streams if _is_for_one_stream(query) else None
    indexed = EventQuery(streams=streams, starts_at=query.starts_at, ends_at=query.ends_at)
    found = after(select(indexed), UUID(last) if last else None, oldest_first=True).values(*SCANNED)[:ROWS_A_PIECE]
    text, parameters = found.query.sql_with_params()
    return Sql(text, list(parameters))


def _wanted(query: EventQuery) -> Sql:
    """Which of them are given."""
    text, parameters = joined(query.conditions, PAYLOAD)
    if query.streams is not None and not _is_for_one_stream(query):
        text += " AND event.stream_id = ANY(%s)"
        parameters.append(list(Stream.objects.filter(name__in=query.streams).values_list("pk", flat=True)))
    if query.types is not None:
        text += " AND event.type = ANY(%s)"
        parameters.append(list(query.types))
    if query.key is not None:
        text += " AND event.key = %s"
        parameters.append(query.key)
    return Sql(text, parameters)


def _is_for_one_stream(query: EventQuery) -> bool:
    return query.streams is not None and len(query.streams) == 1
