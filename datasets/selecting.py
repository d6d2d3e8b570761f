"""What a dataset of events or records selects, as complete SQL, for a process that knows nothing of Django."""

from typing import Any

import psycopg
from django.db import connection
from django.db.models import QuerySet
from psycopg.conninfo import make_conninfo

from datasets import definition as definitions
from datasets.definition import Events, Period, Records
from datasets.engine.selected_rows import Query
from datasets.extent import NOT_AMONG_ALL, Extent
from ingest import reading
from ingest.conditions import joined
from ingest.models import Stream
from ingest.reading import EventQuery
from sources.models import Record

OF_EVENTS = ("id", "stream_id", "type", "key", "time", "received_at", "payload")
OF_RECORDS = ("key", "source_id", "created_at", "updated_at", "starts_at", "ends_at", "value")
NOT_OF_LIBPQ = {"context", "cursor_factory", "prepare_threshold"}


def query(definition: Events | Records, period: Period | None, extent: Extent, seconds: float) -> Query:
    """`period`: of events. `seconds`: that reading may take."""
    if isinstance(definition, Events):
        assert period is not None
        sql = _sql(_events(definition, period), OF_EVENTS)
        text, named, times = "payload", "stream", ["time", "received_at"]
    else:
        sql = _sql(_records(definition, extent), OF_RECORDS)
        text, named, times = "value", "source", ["starts_at", "updated_at"]
    return Query(_address(), sql, text, named, extent.names, times, extent.rows, seconds)


def _events(definition: Events, period: Period) -> "QuerySet[Any]":
    """Read by partition and in the order in which they were stored: nearly that of their time."""
    events = reading.select(
        EventQuery(
            streams=None if definition.streams is None else frozenset(definition.streams),
            types=None if definition.types is None else frozenset(definition.types),
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            conditions=definitions.parsed_conditions(definition),
        )
    )
    if definition.streams is not None:
        return events
    return events.exclude(stream_id__in=list(Stream.objects.filter(name=NOT_AMONG_ALL).values_list("pk", flat=True)))


def _records(definition: Records, extent: Extent) -> "QuerySet[Any]":
    records = Record.objects.all()
    if definition.source is not None:
        records = records.filter(source_id__in=list(extent.names) or [0])
    conditions = definitions.parsed_conditions(definition)
    if conditions:
        text, parameters = joined(conditions, '"record"."value"')
        records = records.extra(where=[text], params=parameters)
    return records


def _sql(rows: "QuerySet[Any]", columns: tuple[str, ...]) -> str:
    text, parameters = rows.order_by().values_list(*columns).query.sql_with_params()
    connection.ensure_connection()
    return psycopg.ClientCursor(connection.connection).mogrify(text, parameters)


def _address() -> str:
    """Of the database, as libpq takes it, with its password."""
    parameters = connection.get_connection_params()
    return make_conninfo("", **{name: value for name, value in parameters.items() if name not in NOT_OF_LIBPQ})
