"""Columns of texts that are mostly numbers or times, and the texts in them that are not."""

from collections.abc import Sequence

from datasets.engine.table import Table
from datasets.kinds import plain
from datasets.kinds.profiling.field import NUMBER, TEXT, TIME, projected
from datasets.kinds.profiling.overview import Overview

MOSTLY = 0.8
MOST_EXAMPLES = 5
TYPES = {NUMBER: "DOUBLE", TIME: "TIMESTAMP WITH TIME ZONE"}


def of(one: Overview) -> str | None:
    """`number` or `time`, if so many of the texts that are not empty can be read as such."""
    if one.field.kind != TEXT or not one.filled:
        return None
    read = {NUMBER: one.as_number, TIME: one.as_time}
    kind = max(read, key=lambda name: read[name])
    return kind if read[kind] >= MOSTLY * one.filled else None


def failures(one: Overview) -> int:
    """How many texts, empty ones aside, cannot be read as what they mostly are."""
    kind = of(one)
    return 0 if kind is None else one.filled - (one.as_number if kind == NUMBER else one.as_time)


def examples(table: Table, source: str, overviews: Sequence[Overview]) -> dict[int, list[str]]:
    """The most frequent of them, by the position of the column."""
    some = [one for one in overviews if failures(one)]
    if not some:
        return {}
    asked = ", ".join(_examples(one) for one in some)
    found = table.row(f"SELECT {asked} FROM {projected(source, [one.field for one in some])}")
    return {one.field.position: list(map(plain.cut, texts)) for one, texts in zip(some, found, strict=True)}


def _examples(one: Overview) -> str:
    value = one.field.value
    misread = f"{value} <> '' AND TRY_CAST({value} AS {TYPES[of(one) or NUMBER]}) IS NULL"
    return f"approx_top_k(left({value}, {plain.LONGEST_TEXT}), {MOST_EXAMPLES}) FILTER ({misread})"
