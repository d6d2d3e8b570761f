"""Events as files: NDJSON for programs, CSV for spreadsheets, made piece by piece in memory that does not grow.

Events come oldest first. Each piece is one query of its own, so a slow client keeps no transaction open; and it reads
at most ROWS_A_PIECE events, whether they meet the conditions or not, so that rare ones take many short queries and not
one that is too slow. PostgreSQL makes whole pieces of finished lines: Python touches no event of NDJSON.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from ingest.conditions import joined
from ingest.members import Sql
from ingest.models import Stream
from ingest.reading import PAYLOAD, EventQuery, after, select, set_locally, time_limit
from ingest.selection import Selection, json_line
from ingest.streaming import Pieces, csv_cell, csv_lines

ROWS_A_PIECE = 5000
BYTES_A_PIECE = 4 << 20
"""Of payloads as they are stored, possibly compressed; one event is read in any case."""

PIECE = """
SELECT string_agg({line}, '') FILTER (WHERE {conditions}), max(event.id::text COLLATE "C")
FROM (
    SELECT *, sum(pg_column_size(payload)) OVER earlier - pg_column_size(payload) AS bytes_before
    FROM ({scan}) AS scanned WINDOW earlier AS (ORDER BY received_at, id ROWS UNBOUNDED PRECEDING)
) AS event WHERE bytes_before < %s
"""
SCANNED = ("id", "received_at", "time", "stream_id", "key", "type", "payload")

_line = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Piece(NamedTuple):
    lines: bytes
    last: UUID | None


def ndjson(query: EventQuery, selection: Selection) -> Pieces:
    """A line for each event. Raises QueryTooSlow; so does csv_table."""
    return _pieces(query, selection)


def csv_table(query: EventQuery, selection: Selection) -> Pieces:
    """A column for each name that is selected, those of the payload as JSON, and no cell a formula."""
    header = csv_lines([[name for name, _ in selection]])
    for lines in _pieces(query, selection):
        yield header + csv_lines(map(_cells, lines.splitlines()))
        header = b""
    yield header


def _cells(line: bytes) -> Iterator[str]:
    return (csv_cell(bytes(value)) for value in _line.decode(line).values())


def _pieces(query: EventQuery, selection: Selection) -> Pieces:
    """An empty one where none of the events that were read is wanted."""
    line, last = json_line(selection, end="\n"), None
    while (piece := _piece(query, line, last)).last is not None:
        last = piece.last
        yield piece.lines


def _piece(query: EventQuery, line: Sql, last: UUID | None) -> _Piece:
    scan, parameters = _scan(query, last)
    wanted = _wanted(query)
    text = PIECE.format(line=line.text, conditions=wanted.text, scan=scan)
    with time_limit():
        set_locally("enable_sort", "off")  # an index has them in order; sorting would read all that is left
        with connection.cursor() as cursor:
            cursor.execute(text, [*line.parameters, *wanted.parameters, *parameters, BYTES_A_PIECE])
            lines, last_id = cursor.fetchone()
    return _Piece((lines or "").encode(), None if last_id is None else UUID(last_id))


def _scan(query: EventQuery, last: UUID | None) -> Sql:
    """The events that are read: what an index would not find is left in."""
    streams = query.streams if _is_for_one_stream(query) else None
    indexed = EventQuery(streams=streams, starts_at=query.starts_at, ends_at=query.ends_at)
    found = after(select(indexed), last, oldest_first=True).values(*SCANNED)[:ROWS_A_PIECE]
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


FORMATS: dict[str, tuple[str, Callable[[EventQuery, Selection], Pieces]]] = {
    "csv": ("text/csv; charset=utf-8", csv_table),
    "ndjson": ("application/x-ndjson", ndjson),
}
