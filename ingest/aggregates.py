"""Counts and other figures of events: by span of time, stream, type and members of the payload.

Counts by stream, type and minute come from `rollup_minute`, which is exact, where it can tell them: without conditions
on payload or key, between whole minutes, within what both it and the events are kept for, and while no type was
counted as "(other)". All others come from the events.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DataError, transaction
from django.db.models import QuerySet

from ingest.aggregate_query import COUNT, QUANTILES, AggregateQuery, Bucket, Group, Measure, Source
from ingest.conditions import InvalidCondition, parse_path
from ingest.maintenance import ROLLUP_DAYS
from ingest.members import Path, Sql
from ingest.models import RollupMinute, Stream
from ingest.reading import EventQuery, limit_further, select, time_limit
from ingest.rollups import OTHER_TYPES

MOST_ROWS = 10_000
MOST_GROUPS = 2
MOST_MEASURES = 10
DEFAULT_HOURS = 24
MOST_BUCKET_DAYS = 366
WORK_MEM = "64MB"  # of each process, for the groups

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
BUCKETS = {"minute": "1m", "hour": "1h", "day": "1d"}
FUNCTIONS = ("sum", "avg", "min", "max", *QUANTILES)

MINUTE = timedelta(minutes=1)


class Aggregation(NamedTuple):
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
    with time_limit(work_mem=WORK_MEM):
        source = _of_rollups(asked) if can_use_rollups(asked, now) else _of_events(asked)
        found = _read(AggregateQuery(source, asked.bucket, asked.group_by, asked.measures))
    return Aggregated(found[:MOST_ROWS], source.name, len(found) > MOST_ROWS)


def _read(query: AggregateQuery) -> list[dict[str, Any]]:
    """Where something else than numbers is met, once more from the beginning: mostly that is soon."""
    began_at = time.monotonic()
    try:
        with transaction.atomic():
            return query.read(MOST_ROWS + 1)
    except DataError:
        limit_further(spent_seconds=time.monotonic() - began_at)
        return replace(query, has_numbers_only=False).read(MOST_ROWS + 1)


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


def _of_rollups(asked: Aggregation) -> Source:
    found = _rollups(asked.query).filter(events__gt=0)
    if asked.query.types is not None:
        found = found.filter(type__in=asked.query.types)
    text, parameters = found.values("minute", "stream_id", "type", "events").query.sql_with_params()
    table = Sql(f"({text}) AS event (received_at, stream_id, type, events)", list(parameters))
    return Source("rollups", table, "events", "coalesce(sum(event.events), 0)::bigint")


def _of_events(asked: Aggregation) -> Source:
    columns = ("received_at", "stream_id", "type", "payload")
    text, parameters = select(asked.query).values(*columns).query.sql_with_params()
    return Source("events", Sql(f"({text}) AS event ({', '.join(columns)})", list(parameters)), "1", "count(*)")
