"""Rows in buckets of time: which column tells the time, how long the buckets are, and what is in them.

Buckets are numbered from 1970-01-01 UTC on: number n holds [n · seconds, (n + 1) · seconds). Times without zone are
taken as UTC. Rows without a time, or with an infinite one, are in none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from datasets.engine.table import Table, quoted
from datasets.errors import Refused
from datasets.kinds.profiling.field import NUMBER, TIME, kind_of
from datasets.snapshot import Column

MOST_BUCKETS = 10_000
MINUTE, HOUR, DAY = 60, 3600, 86_400
LENGTHS = (
    *(1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY),
)
"""In seconds: what a bucket may be when nobody says. Beyond them multiples of the last."""
UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
ZONED = "TIMESTAMP WITH TIME ZONE"
MILLISECONDS, MICROSECONDS = 1_000, 1_000_000

Moment = Annotated[datetime, Meta(tz=True)]
Length = Annotated[str, Meta(pattern=r"^[1-9]\d{0,7}[smhd]$", description="Such as 30s, 5m, 1h or 7d.")]


class SeriesParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """`time_column`: by default the one that the dataset's time goes by."""

    time_column: str = ""
    bucket: Length | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    def __post_init__(self) -> None:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("ends_at is not after starts_at.")
        if getattr(self, "window", 1) % 2 == 0:
            raise ValueError("The window is an odd number of buckets, so that it has a middle.")


@dataclass(frozen=True)
class Axis:
    """`selected`: SQL of (bucket, all columns) of the rows that are looked at. `first`, `last`: numbers of buckets.

    Where a time is given to start or end at, they are those of these, else those of the first and last row.
    """

    table: Table
    column: str
    seconds: int
    selected: str
    first: int
    last: int

    def milliseconds(self, bucket: int) -> int:
        """Its beginning, in Unix time."""
        return bucket * self.seconds * MILLISECONDS

    def figures(self, columns: str, condition: str = "true") -> list[tuple[Any, ...]]:
        """The number of each bucket that has rows of this condition, and these aggregates; in order."""
        return self.table.rows(
            f"SELECT bucket, {columns} FROM ({self.selected}) WHERE {condition} GROUP BY bucket ORDER BY bucket"
        )


def axis(table: Table, parameters: SeriesParameters, most: int, shortest: int = 1) -> Axis:
    """Buckets that nobody named are `shortest` seconds or longer, and at most `most`. Raises Refused."""
    column = _time_column(table, parameters.time_column)
    time, moment = _sql(column)
    starts_at, ends_at = _microseconds(parameters.starts_at), _microseconds(parameters.ends_at)
    conditions = [f"isfinite({time})"]
    conditions += [] if starts_at is None else [f"{time} >= {moment}({starts_at})"]
    conditions += [] if ends_at is None else [f"{time} < {moment}({ends_at})"]
    rows = f"{table.name} WHERE {' AND '.join(conditions)}"
    first, last = table.row(f"SELECT epoch_us(min({time})), epoch_us(max({time})) FROM {rows}")
    first, last = (0, -1) if first is None else (first, last)
    first, last = first if starts_at is None else starts_at, last if ends_at is None else ends_at - 1
    seconds = _seconds(parameters.bucket, max(last - first, 0), most, shortest)
    size = seconds * MICROSECONDS
    floored = f"(epoch_us({time}) - (epoch_us({time}) % {size} + {size}) % {size}) // {size}"
    selected = f"SELECT {floored} AS bucket, * FROM {rows}"
    return Axis(table, column.name, seconds, selected, first // size, last // size)


def numeric(table: Table, names: Sequence[str]) -> list[str]:
    """These columns, or all that are numbers. Raises Refused."""
    types = {column.name: column.type for column in table.columns}
    numbers = [name for name, kind in types.items() if kind_of(kind) == NUMBER]
    for name in names:
        if name not in types:
            raise Refused(f"There is no column {name}. Numbers are in: {', '.join(numbers) or 'none'}.")
        if name not in numbers:
            raise Refused(f"The column {name} has no numbers: it is {types[name]}.")
    if not numbers:
        raise Refused("No column of the dataset has numbers.")
    return list(names) or numbers


def _time_column(table: Table, name: str) -> Column:
    times = {column.name: column for column in table.columns if kind_of(column.type) == TIME}
    chosen = name or table.snapshot.time_column or (next(iter(times)) if len(times) == 1 else "")
    if chosen in times:
        return times[chosen]
    if not times:
        raise Refused("No column of the dataset has times.")
    what = f"The column {chosen} has no times." if chosen else "The dataset has no time of its own."
    raise Refused(f"{what} Name one as time_column: {', '.join(times)}.")


def _sql(column: Column) -> tuple[str, str]:
    """The column as a time in microseconds, and the function that makes such a time of a number."""
    if column.type == ZONED:
        return quoted(column.name), "make_timestamptz"
    return f"CAST({quoted(column.name)} AS TIMESTAMP)", "make_timestamp"


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * MICROSECONDS)


def _seconds(bucket: str | None, span: int, most: int, shortest: int) -> int:
    """`span` in microseconds, wherever it begins."""
    if bucket is None:
        return _chosen(span, most, shortest)
    seconds = int(bucket[:-1]) * UNITS[bucket[-1]]
    count = span // (seconds * MICROSECONDS) + 2
    if count > MOST_BUCKETS:
        raise Refused(
            f"Buckets of {bucket} would be {count:,}, and at most {MOST_BUCKETS:,} are taken: choose longer ones, or a"
            " shorter time with starts_at and ends_at."
        )
    return seconds


def _chosen(span: int, most: int, shortest: int) -> int:
    for seconds in LENGTHS:
        if seconds >= shortest and span // (seconds * MICROSECONDS) + 2 <= most:
            return seconds
    longest = LENGTHS[-1]
    return longest * -(-span // ((most - 2) * longest * MICROSECONDS))
