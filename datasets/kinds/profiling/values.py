"""The most frequent values of columns, with how often each is there.

Columns of up to 10,000 values are counted whole. Of those with more, candidates come from Filtered Space-Saving (Homem
and Carvalho, "Finding top-k elements in data streams", 2010), and those are counted. A column of which most values
are there once has no most frequent ones.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasets.engine.table import Table
from datasets.kinds import plain
from datasets.kinds.profiling.field import BOOLEAN, NUMBER, TEXT, TIME, Field, projected
from datasets.kinds.profiling.overview import Overview

MOST_COUNTED = 10_000
MOST_REPEATED_SHARE = 0.5
CANDIDATES = 3
MOST_AT_ONCE = 16


@dataclass(frozen=True)
class Values:
    """`texts`: values as DuckDB writes them, with their counts, most frequent first. `distinct`: exactly, or None."""

    field: Field
    texts: list[tuple[str, int]]
    distinct: int | None = None

    @property
    def top(self) -> list[dict[str, Any]]:
        """As JSON: [{"value", "count"}]."""
        return [{"value": shown(self.field, text), "count": n} for text, n in self.texts]


@dataclass(frozen=True)
class _Key:
    """What is counted: `sql`, of which each value is shown as `shown`. `parameters` are those of `sql`."""

    field: Field
    sql: str
    parameters: tuple[Any, ...] = ()


def count(
    table: Table,
    source: str,
    overviews: Sequence[Overview],
    most: int,
    begun: Callable[[int], None] = lambda done: None,
) -> dict[int, Values]:
    """By the position of the column, `most` values of each. `begun` is told how many columns are done."""
    few = [one for one in overviews if 0 < one.distinct <= MOST_COUNTED]
    many = [one for one in overviews if one.distinct > MOST_COUNTED and _repeats(one)]
    found = {one.field.position: Values(one.field, []) for one in overviews}
    for start, some in _batches(few):
        begun(start)
        found |= _counted(table, source, [_Key(one.field, _key(one)) for one in some], most)
    for start, some in _batches(many):
        begun(len(few) + start)
        counted = _counted(table, source, _candidates(table, source, some, most), most)
        found |= {position: replace(values, distinct=None) for position, values in counted.items()}
    return found


def count_only(table: Table, source: str, wanted: Mapping[Field, Sequence[str]]) -> dict[int, dict[str, int]]:
    """How often these texts are there, by the position of the column. Texts are told by their first 200 characters."""
    found: dict[int, dict[str, int]] = {}
    fields = [field for field, texts in wanted.items() if texts]
    for start in range(0, len(fields), MOST_AT_ONCE):
        some = fields[start : start + MOST_AT_ONCE]
        keys = [_one_of(field, f"left(CAST({field.value} AS VARCHAR), 200)", tuple(wanted[field])) for field in some]
        counted = _counted(table, source, keys, max(len(key.parameters) for key in keys))
        found |= {field.position: dict(counted[field.position].texts) for field in some}
    return found


def _repeats(one: Overview) -> bool:
    return one.field.kind != TIME and one.distinct < MOST_REPEATED_SHARE * one.there


def _batches(overviews: Sequence[Overview]) -> Iterator[tuple[int, Sequence[Overview]]]:
    for start in range(0, len(overviews), MOST_AT_ONCE):
        yield start, overviews[start : start + MOST_AT_ONCE]


def _key(one: Overview) -> str:
    """Of long texts their beginning and a hash of the whole: what is grouped by stays small."""
    value = one.field.value
    if one.field.kind == TEXT and (one.longest or 0) > plain.LONGEST_TEXT:
        return f"CASE WHEN length({value}) > 200 THEN left({value}, 200) || hash({value}) ELSE {value} END"
    return value


def _candidates(table: Table, source: str, some: Sequence[Overview], most: int) -> list[_Key]:
    fields = [one.field for one in some]
    asked = ", ".join(f"approx_top_k({_key(one)}, {CANDIDATES * most})" for one in some)
    values = table.row(f"SELECT {asked} FROM {projected(source, fields)}")
    return [_one_of(one.field, _key(one), tuple(found)) for one, found in zip(some, values, strict=True)]


def _one_of(field: Field, sql: str, candidates: tuple[Any, ...]) -> _Key:
    return _Key(field, f"CASE WHEN {sql} IN ({', '.join('?' * len(candidates))}) THEN {sql} END", candidates)


def _counted(table: Table, source: str, keys: Sequence[_Key], most: int) -> dict[int, Values]:
    """One pass for all of them. NULL is no value."""
    names = [f"k{position}" for position in range(len(keys))]
    made = ", ".join(f"{key.sql} AS {name}" for key, name in zip(keys, names, strict=True))
    texts = " ".join(f"WHEN {bit} THEN CAST({name} AS VARCHAR)" for name, bit in zip(names, _bits(names), strict=True))
    grouped = (
        f"SELECT GROUPING({', '.join(names)}) AS which, CASE which {texts} END AS value, count(*) AS n "
        f"FROM (SELECT {made} FROM {projected(source, [key.field for key in keys])}) "
        f"GROUP BY GROUPING SETS ({', '.join(f'({name})' for name in names)})"
    )
    ranked = (
        "SELECT *, row_number() OVER (PARTITION BY which ORDER BY n DESC, value) AS rank, "
        f"count(*) OVER (PARTITION BY which) AS distinct_values FROM ({grouped}) WHERE value IS NOT NULL"
    )
    rows = table.rows(
        f"SELECT which, value, n, distinct_values FROM ({ranked}) WHERE rank <= {most} ORDER BY which, rank",
        [value for key in keys for value in key.parameters],
    )
    return dict(_read(keys, rows, _bits(names)))


def _bits(names: Sequence[str]) -> list[int]:
    """What GROUPING gives for the set of each alone: a bit for each of the others, the first name's the highest."""
    return [2 ** len(names) - 1 - 2 ** (len(names) - 1 - position) for position in range(len(names))]


def _read(
    keys: Sequence[_Key], rows: Sequence[tuple[int, str, int, int]], bits: Sequence[int]
) -> Iterator[tuple[int, Values]]:
    for key, bit in zip(keys, bits, strict=True):
        own = [row for row in rows if row[0] == bit]
        yield key.field.position, Values(key.field, [(text, n) for _, text, n, _ in own], own[0][3] if own else 0)


def shown(field: Field, text: str) -> Any:
    """A value that DuckDB wrote as text."""
    if field.kind == BOOLEAN:
        return text == "true"
    if field.kind == NUMBER:
        return plain.number(int(text) if field.whole else float(text))
    return plain.moment(text, field.type) if field.kind == TIME else plain.cut(text)
