"""Where values are missing: the share of nulls by stretches of time, or of rows where nothing says when they were."""

from collections.abc import Sequence
from typing import Any

from datasets.engine.table import Table
from datasets.kinds import plain
from datasets.kinds.profiling.field import Field, constant, projected
from datasets.kinds.profiling.overview import Overview

MOST_BUCKETS = 60
MOST_COLUMNS = 30


def take(table: Table, source: str, overviews: Sequence[Overview], rows: int, time: Overview | None) -> dict[str, Any]:
    """{"columns": names, "buckets": [{"from", "rate"}]} of the 30 columns with most nulls; those without have no map.

    A bucket begins at a time, or at the number of a row, the first being 0. Rows without time are in no bucket.
    """
    fields = _columns(overviews, rows)
    if not fields:
        return {"columns": [], "buckets": []}
    counts = ", ".join(f"count({field.value})" for field in fields)
    bucket, relation = _by_time(source, fields, time) if time else _by_row(source, fields, rows)
    found = table.rows(f"SELECT {bucket} AS bucket, count(*), {counts} FROM {relation} GROUP BY bucket ORDER BY bucket")
    return {
        "columns": [field.name for field in fields],
        "buckets": [
            {"from": _start(number, time, rows), "rate": [(n - there) / n for there in counted]}
            for number, n, *counted in found
        ],
    }


def _columns(overviews: Sequence[Overview], rows: int) -> list[Field]:
    """In the order of the table."""
    worst = sorted((one for one in overviews if one.there < rows), key=lambda one: one.there)[:MOST_COLUMNS]
    return sorted((one.field for one in worst), key=lambda field: field.position)


def _by_time(source: str, fields: Sequence[Field], time: Overview) -> tuple[str, str]:
    columns = {field.position: field for field in [*fields, time.field]}
    number = time.field.number
    place = f"floor(({number} - {constant(time.range[0])}) / {constant(_width(time))})"
    bucket = f"least(CAST({place} AS INTEGER), {MOST_BUCKETS - 1})"
    return bucket, f"{projected(source, columns.values())} WHERE {number} IS NOT NULL"


def _by_row(source: str, fields: Sequence[Field], rows: int) -> tuple[str, str]:
    numbered = f"(SELECT *, row_number() OVER () - 1 AS row_number FROM {projected(source, fields)})"
    return f"row_number * {_buckets(rows)} // {rows}", numbered


def _buckets(rows: int) -> int:
    return min(MOST_BUCKETS, rows)


def _width(time: Overview) -> float:
    """In seconds."""
    low, high = time.range
    return (high - low) / MOST_BUCKETS or 1.0


def _start(number: int, time: Overview | None, rows: int) -> str | int | None:
    if time is None:
        return -(-number * rows // _buckets(rows))
    return plain.instant(time.range[0] + number * _width(time), time.field.type)
