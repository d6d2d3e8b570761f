"""The query of an aggregate.

Rows are made ready in two steps, each a subquery that PostgreSQL may not dissolve: members are taken out of the payload
once, then made what is grouped and measured. If it saw the expressions that are grouped by, it would expect a group for
every event and sort all events; so it counts them in a hash table, in several processes at once. For ten million events
that takes a quarter of the time.

Groups are told apart as texts, which is faster than as jsonb: a number and `true` as they are, and a text that might be
taken for one of them, by how it begins, with a quotation mark before it. So of most texts no type has to be looked up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from django.db import connection

from ingest.members import Path, Sql
from ingest.selection import stream_names

MOST_CHARACTERS = 200  # of a text that is a group: ten thousand of them have to fit into memory
AMBIGUOUS = ", ".join(str(ord(character)) for character in '-0123456789tf[{"')
"""Code points with which a text begins that may not be one, or that would look marked as one."""

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

WHOLE = "OFFSET '0'::bigint"
"""After this a subquery is not dissolved; after OFFSET 0, which is an integer, it would be made in one process only."""


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


class Source(NamedTuple):
    """`table`: SQL of rows called `event` that have received_at, stream_id, type, and payload or events.

    `events`: how many events such a row stands for; `counted`: those of a group of rows.
    """

    name: str
    table: Sql
    events: str
    counted: str


class _Column(NamedTuple):
    """`key`: what is grouped by, None for a figure. `read` makes of what PostgreSQL gives what is shown."""

    name: str
    sql: Sql
    read: Callable[[Any], Any]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """`has_numbers_only`: what is measured is nowhere a text, say. To look would take a seventh of the time."""

    source: Source
    bucket: Bucket | None
    group_by: Sequence[Group]
    measures: Sequence[Measure]
    has_numbers_only: bool = True

    def read(self, limit: int) -> list[dict[str, Any]]:
        """At most so many rows. Raises DataError: it has others, too."""
        columns = [*self._keys(), *map(self._figure, self.measures)]
        text, parameters = self._sql(columns, limit)
        with connection.cursor() as cursor:
            cursor.execute(text, parameters)
            found = cursor.fetchall()
        return [{column.name: column.read(value) for column, value in zip(columns, row, strict=True)} for row in found]

    def _sql(self, columns: Sequence[_Column], limit: int) -> Sql:
        rows = self._prepared()
        text = f"SELECT {', '.join(column.sql.text for column in columns)} FROM ({rows.text}) AS event"
        if keys := [column.key for column in columns if column.key]:
            places = ", ".join(str(place + 1) for place in range(len(keys)))
            order = places if self.bucket else f"{len(keys) + 1} DESC NULLS LAST, {places}"
            text += f" GROUP BY {', '.join(keys)} ORDER BY {order} LIMIT {limit}"
        return Sql(text, [*(one for column in columns for one in column.sql.parameters), *rows.parameters])

    def _prepared(self) -> Sql:
        """Rows called `event` with bucket, stream_id, type, events, and for each path a group and a number."""
        bucket = f"{self.bucket.seconds if self.bucket else 1} seconds"
        columns = ["date_bin(%s::interval, received_at, '1970-01-01 00:00:00+00'::timestamptz) AS bucket"]
        columns += ["stream_id", "nullif(type, '') AS type", f"{self.source.events} AS events"]
        groups = [_scalar(n, path) for n, path in enumerate(self._paths()) if path in self._grouped()]
        columns += [group.text for group in groups]
        columns += [self._number(n) for n, path in enumerate(self._paths()) if path in self._measured()]
        members = self._members()
        text = f"SELECT {', '.join(columns)} FROM ({members.text}) AS taken {WHOLE}"
        return Sql(text, [bucket, *(one for group in groups for one in group.parameters), *members.parameters])

    def _number(self, n: int) -> str:
        if self.has_numbers_only:
            return f"member{n}::numeric AS number{n}"
        return f"CASE jsonb_typeof(member{n}) WHEN 'number' THEN member{n}::numeric END AS number{n}"

    def _members(self) -> Sql:
        columns = ["received_at", "stream_id", "type", *["events"] * (self.source.events == "events")]
        columns += ["payload"] * bool(self._grouped())
        parameters: list[Any] = []
        for n, path in enumerate(self._paths()):
            if path in self._measured():
                member = path.sql("event.payload")
                columns.append(f"{member.text} AS member{n}")
                parameters += member.parameters
            if path in self._grouped():
                text = path.text("event.payload")
                columns.append(f"{text.text} AS text{n}")
                parameters += text.parameters
        table, more = self.source.table
        return Sql(f"SELECT {', '.join(columns)} FROM {table} {WHOLE}", [*parameters, *more])

    def _grouped(self) -> list[Path]:
        return [group.path for group in self.group_by if group.path]

    def _measured(self) -> list[Path]:
        return [measure.path for measure in self.measures if measure.path]

    def _paths(self) -> list[Path]:
        return list(dict.fromkeys([*self._grouped(), *self._measured()]))

    def _keys(self) -> list[_Column]:
        bucket = [_Column("bucket", Sql("event.bucket", []), _same, "event.bucket")] if self.bucket else []
        return [*bucket, *map(self._group, self.group_by)]

    def _group(self, group: Group) -> _Column:
        if group.path:
            key = f"event.group{self._paths().index(group.path)}"
            shown = (
                f"CASE WHEN {_is_plain(key)} THEN to_jsonb({key})"
                f" WHEN left({key}, 1) = '\"' THEN to_jsonb(substr({key}, 2)) ELSE {key}::jsonb END"
            )
            return _Column(group.name, Sql(shown, []), _json, key)
        if group.name == "stream":
            name = Sql("%s::jsonb ->> event.stream_id::text", [stream_names()])
            return _Column(group.name, name, _same, "event.stream_id")
        return _Column(group.name, Sql("event.type", []), _same, "event.type")

    def _figure(self, measure: Measure) -> _Column:
        if measure.path is None:
            return _Column(measure.name, Sql(self.source.counted, []), _same)
        number = f"event.number{self._paths().index(measure.path)}"
        if measure.function in QUANTILES:
            share = QUANTILES[measure.function]
            text = f"percentile_cont({share}) WITHIN GROUP (ORDER BY {number}::float8)"
            return _Column(measure.name, Sql(text, []), _same)
        return _Column(measure.name, Sql(f"trim_scale({measure.function}({number}))", []), _json)


def _scalar(n: int, path: Path) -> Sql:
    """What is neither an object nor an array. Numbers that are equal are equal as texts, too."""
    member, names = path.sql("payload")
    return Sql(
        f"CASE WHEN {_is_plain(f'text{n}')} THEN text{n}::varchar({MOST_CHARACTERS})"
        f" ELSE CASE jsonb_typeof({member}) WHEN 'string' THEN '\"' || text{n}::varchar({MOST_CHARACTERS})"
        f" WHEN 'number' THEN trim_scale({member}::numeric)::text WHEN 'boolean' THEN text{n} END"
        f' END COLLATE "C" AS group{n}',
        [*names, *names],
    )


def _is_plain(text: str) -> str:
    """Whether it is the text of a text, and looks like nothing else."""
    return f"ascii({text}) NOT IN ({AMBIGUOUS})"


def _same(value: Any) -> Any:
    return value


def _json(value: Any) -> Any:
    """Of jsonb, which comes as text, or a number with all its digits."""
    return None if value is None else orjson.Fragment(str(value))
