"""Which records are read."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from access.reach import EVERYWHERE, Reach
from ingest.conditions import Condition, joined
from ingest.members import Sql
from sources.models import Record

VALUE = '"record"."value"'
ADVICE = "Name a source or a key, or updated_after."


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Records within `reach`, of this source and key, that lie between `starts_at` and `ends_at`, changed after
    `updated_after`, with the text `search` in key or value, whose values meet all conditions.
    """

    reach: Reach = EVERYWHERE
    source: int | None = None
    source_name: str | None = None
    key: str | None = None
    search: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    updated_after: datetime | None = None
    conditions: tuple[Condition, ...] = ()


def select(query: RecordQuery) -> "QuerySet[Record]":
    """In no order."""
    text, parameters = wanted(query)
    return indexed(query).extra(where=[text], params=parameters)


def indexed(query: RecordQuery) -> "QuerySet[Record]":
    """What an index finds of it: the source and the key."""
    records = Record.objects.filter(query.reach.of_sources("source__name")).order_by()
    if query.source is not None:
        records = records.filter(source_id=query.source)
    if query.source_name is not None:
        records = records.filter(source__name=query.source_name)
    if query.key is not None:
        records = records.filter(key=query.key)
    return records


def wanted(query: RecordQuery) -> Sql:
    """The rest of it, of a table or subquery that is called `record`."""
    text, parameters = joined(query.conditions, VALUE)
    for condition, value in (
        ('"record"."starts_at" >= %s', query.starts_at),
        ('"record"."ends_at" <= %s', query.ends_at),
        ('"record"."updated_at" > %s', query.updated_after),
    ):
        if value is not None:
            text, parameters = f"{text} AND {condition}", [*parameters, value]
    if query.search is not None:
        text += f' AND ("record"."key" ILIKE %s OR {VALUE}::text ILIKE %s)'
        parameters += [_pattern(query.search)] * 2
    return Sql(text, parameters)


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
