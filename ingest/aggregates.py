"""Counts and other figures of events: by span of time, stream, type and members of the payload.

Counts by stream, type and minute come from `rollup_minute`, which is exact, where it can tell them: without conditions
on payload or key, between whole minutes, within what both it and the events are kept for, and while no type was
counted as "(other)". All others come from the events.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from ingest.conditions import InvalidCondition, parse_path
from ingest.maintenance import ROLLUP_DAYS
from ingest.members import Path, Sql
from ingest.models import RollupMinute, Stream
from ingest.reading import PAYLOAD, EventQuery, select, time_limit
from ingest.rollups import OTHER_TYPES
from ingest.selection import stream_names

MOST_ROWS = 10_000
MOST_GROUPS = 2
MOST_MEASURES = 10
DEFAULT_HOURS = 24
MOST_BUCKET_DAYS = 366
MOST_CHARACTERS = 200  # of a text that is a group

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
BUCKETS = {"minute": "1m", "hour": "1h", "day": "1d"}
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
FUNCTIONS = ("sum", "avg", "min", "max", *SHARES)

MINUTE = timedelta(minutes=1)


class Bucket(NamedTuple):
    """`name` as it was asked for."""

    name: str
    seconds: int


class Group(NamedTuple):
    """`stream`, `type` or, with a path, a member of the payload."""

    name: str
    path: Path | None = None


class Measure(NamedTuple):
    """`count` or, with a path, a function of the numbers at it."""

    name: str
    function: str = "count"
    path: Path | None = None


COUNT = Measure("count")


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What is asked of the events of `query`, which has both bounds in time."""

    query: EventQuery
    bucket: Bucket | None = None
    group_by: tuple[Group, ...] = ()
    measures: tuple[Measure, ...] = (COUNT,)


class Aggregated(NamedTuple):
    """Dicts of bucket, groups and measures; in order of time and groups, without a bucket those that count most first.

    `source`: "rollups" or "events". `truncated`: there were more than MOST_ROWS.
    """

    rows: list[dict[str, Any]]
    source: str
    truncated: bool


def aggregate(asked: Aggregation, now: datetime) -> Aggregated:
    """Raises QueryTooSlow."""
    with time_limit():
        source = _of_rollups(asked) if can_use_rollups(asked, now) else _of_events(asked)
        columns = _columns(asked, source)
        found = _read(asked, source, columns)
    rows = [
        {column.name: column.read(value) for column, value in zip(columns, row, strict=True)}
        for row in found[:MOST_ROWS]
    ]
    return Aggregated(rows, source.name, len(found) > MOST_ROWS)


def period(starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Until the end of the present minute, from DEFAULT_HOURS before the minute in which it ends, unless said.

    Raises InvalidCondition.
    """
    until = ends_at or _minute(now) + MINUTE
    try:
        start = starts_at or _minute(until if ends_at else now) - timedelta(hours=DEFAULT_HOURS)
    except OverflowError:
        raise InvalidCondition("There is no time before it: say starts_at.") from None
    if start >= until:
        raise InvalidCondition(f"ends_at, {until.isoformat()}, is not after starts_at, {start.isoformat()}.")
    return start, until


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


# Reading what is asked


def parse_bucket(text: str) -> Bucket:
    """Raises InvalidCondition."""
    match = re.fullmatch(r"([1-9]\d{0,7})([smhd])", BUCKETS.get(text, text), re.ASCII)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not 0 < seconds <= MOST_BUCKET_DAYS * UNITS["d"]:
        raise InvalidCondition(
            f"It is {', '.join(BUCKETS)}, or a number with s, m, h or d such as 15m, at most {MOST_BUCKET_DAYS}d."
        )
    return Bucket(text, seconds)


def parse_groups(texts: Sequence[str]) -> tuple[Group, ...]:
    """Raises InvalidCondition."""
    if len(texts) > MOST_GROUPS or len(set(texts)) < len(texts):
        raise InvalidCondition(f"At most {MOST_GROUPS} different ones.")
    return tuple(Group(text) if text in ("stream", "type") else Group(text, _path(text)) for text in texts)


def parse_measures(texts: Sequence[str]) -> tuple[Measure, ...]:
    """Raises InvalidCondition."""
    if len(texts) > MOST_MEASURES or len(set(texts)) < len(texts):
        raise InvalidCondition(f"At most {MOST_MEASURES} different ones.")
    return tuple(map(_measure, texts))


def _measure(text: str) -> Measure:
    function, mark, name = text.partition(":")
    if text == "count":
        return COUNT
    if function not in FUNCTIONS or not mark:
        known = ", ".join(f"{one}:payload.<path>" for one in FUNCTIONS)
        raise InvalidCondition(f"There is no '{text}'; there are count, {known}.")
    return Measure(text, function, parse_path(name, "payload"))


def _path(text: str) -> Path:
    if not text.startswith("payload."):
        raise InvalidCondition(f"There is no '{text}'; there are stream, type and payload.<path>.")
    return parse_path(text, "payload")


# Where it comes from


class _Source(NamedTuple):
    """A table called `event`, and how many events are in a group of its rows."""

    name: str
    table: Sql
    counted: str


def can_use_rollups(asked: Aggregation, now: datetime) -> bool:
    """Whether the counts by minute tell exactly what the events would."""
    query = asked.query
    assert query.starts_at is not None
    assert query.ends_at is not None
    return (
        asked.measures == (COUNT,)
        and not query.conditions
        and query.key is None
        and all(group.path is None for group in asked.group_by)
        and (asked.bucket is None or asked.bucket.seconds % 60 == 0)
        and all(_minute(at) == at for at in (query.starts_at, query.ends_at))
        and query.starts_at >= _kept_since(query, now)
        and not (_tells_types(asked) and _rollups(query).filter(type=OTHER_TYPES, events__gt=0).exists())
    )


def _tells_types(asked: Aggregation) -> bool:
    return asked.query.types is not None or any(group.name == "type" for group in asked.group_by)


def _kept_since(query: EventQuery, now: datetime) -> datetime:
    """Since when nothing of these streams was removed, neither events nor counts."""
    streams = Stream.objects.order_by()
    if query.streams is not None:
        streams = streams.filter(name__in=query.streams)
    kept = {
        settings.RETENTION_DAYS if days is None else days for days in streams.values_list("retention_days", flat=True)
    }
    return now - timedelta(days=min([ROLLUP_DAYS, *filter(None, kept)]))


def _rollups(query: EventQuery) -> "QuerySet[RollupMinute]":
    # All streams are named so that the primary key finds the rows.
    streams = Stream.objects.order_by()
    if query.streams is not None:
        streams = streams.filter(name__in=query.streams)
    ids = list(streams.values_list("pk", flat=True))
    return RollupMinute.objects.order_by().filter(
        stream_id__in=ids or [0], minute__gte=query.starts_at, minute__lt=query.ends_at
    )


def _of_rollups(asked: Aggregation) -> _Source:
    found = _rollups(asked.query).filter(events__gt=0)
    if asked.query.types is not None:
        found = found.filter(type__in=asked.query.types)
    text, parameters = found.values("minute", "stream_id", "type", "events").query.sql_with_params()
    table = Sql(f"({text}) AS event (received_at, stream_id, type, events)", list(parameters))
    return _Source("rollups", table, "coalesce(sum(event.events), 0)::bigint")


def _of_events(asked: Aggregation) -> _Source:
    paths = [group.path for group in asked.group_by] + [measure.path for measure in asked.measures]
    columns = ("received_at", "stream_id", "type", *["payload"] * any(paths))
    text, parameters = select(asked.query).values(*columns).query.sql_with_params()
    return _Source("events", Sql(f"({text}) AS event ({', '.join(columns)})", list(parameters)), "count(*)")


# The query


class _Column(NamedTuple):
    """`read` makes of what PostgreSQL gives what is shown."""

    name: str
    sql: Sql
    read: Callable[[Any], Any]


def _read(asked: Aggregation, source: _Source, columns: Sequence[_Column]) -> list[tuple[Any, ...]]:
    keys = range(1, len(columns) - len(asked.measures) + 1)
    places = ", ".join(map(str, keys))
    order = places if asked.bucket else f"{len(keys) + 1} DESC NULLS LAST, {places}"
    text = f"SELECT {', '.join(column.sql.text for column in columns)} FROM {source.table.text}"
    if keys:
        text += f" GROUP BY {places} ORDER BY {order} LIMIT {MOST_ROWS + 1}"
    with connection.cursor() as cursor:
        cursor.execute(text, [*(one for column in columns for one in column.sql.parameters), *source.table.parameters])
        return list(cursor.fetchall())


def _columns(asked: Aggregation, source: _Source) -> list[_Column]:
    bucket = [_bucket(asked.bucket)] if asked.bucket else []
    return [*bucket, *map(_group, asked.group_by), *(_figure(measure, source.counted) for measure in asked.measures)]


def _bucket(bucket: Bucket) -> _Column:
    start = "date_bin(%s::interval, event.received_at, '1970-01-01 00:00:00+00'::timestamptz)"
    return _Column("bucket", Sql(start, [f"{bucket.seconds} seconds"]), _same)


def _group(group: Group) -> _Column:
    if group.path:
        return _Column(group.name, _scalar(group.path), _json)
    if group.name == "stream":
        return _Column(group.name, Sql("%s::jsonb ->> event.stream_id::text", [stream_names()]), _same)
    return _Column(group.name, Sql("nullif(event.type, '')", []), _same)


def _scalar(path: Path) -> Sql:
    """What is neither an object nor an array, nor long: ten thousand of these have to fit into memory."""
    member, names = path.sql(PAYLOAD)
    text = (
        f"CASE jsonb_typeof({member}) WHEN 'string' THEN to_jsonb(left({member} #>> '{{}}', {MOST_CHARACTERS}))"
        f" WHEN 'number' THEN {member} WHEN 'boolean' THEN {member} END"
    )
    return Sql(text, names * 4)


def _figure(measure: Measure, counted: str) -> _Column:
    if measure.path is None:
        return _Column(measure.name, Sql(counted, []), _same)
    number, parameters = measure.path.number(PAYLOAD)
    if measure.function in SHARES:
        share = SHARES[measure.function]
        text = f"percentile_cont({share}) WITHIN GROUP (ORDER BY {number}::float8)"
        return _Column(measure.name, Sql(text, parameters), _same)
    figure = f"{measure.function}({number})"
    return _Column(measure.name, Sql(f"trim_scale({figure})", parameters), _json)


def _same(value: Any) -> Any:
    return value


def _json(value: Any) -> Any:
    """Of jsonb, which comes as text, or a number with all its digits."""
    return None if value is None else orjson.Fragment(str(value))
