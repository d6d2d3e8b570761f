"""How many rows repeat another one, by hashes of 64 bits.

Up to a million rows all hashes are looked at, and the figure is exact but for collisions, of which a million rows have
one with a chance of 3 in 100 million. Above it is that of about 250,000 rows, those of every n-th hash: all rows of the
same values are among them or none is (Gibbons, "Distinct sampling for highly-accurate answers to distinct values
queries", 2001).

Of wide tables the first 100 columns are looked at, for a pass holds a piece of each of its columns in memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from datasets.engine.table import Table, quoted
from datasets.kinds.profiling.field import OTHER, TEXT, projected
from datasets.kinds.profiling.overview import Overview
from datasets.kinds.profiling.values import MOST_COUNTED

MOST_EXACT_ROWS = 1_000_000
SAMPLE_ROWS = 250_000
MOST_COLUMNS = 100
KEYS_AT_ONCE = 4
LEAST_SHARE_OF_KEY = 0.8
GIVEN_ON_ARRIVAL = {
    "events": ("id", "received_at"),
    "records": ("key", "created_at", "updated_at"),
}
"""Columns that differ between rows of the same data, by the kind of dataset."""


@dataclass(frozen=True)
class Repeats:
    """Of `rows` rows `distinct` differ from all before them. `exact`: all rows, and all columns, were looked at."""

    rows: int
    distinct: int
    exact: bool

    @property
    def share(self) -> float:
        return (self.rows - self.distinct) / self.rows if self.rows else 0.0


def of_rows(table: Table, source: str, rows: int) -> Repeats:
    """Of the data in them."""
    arrival = GIVEN_ON_ARRIVAL.get(table.snapshot.kind, ())
    columns = [quoted(column.name) for column in table.columns if column.name not in arrival]
    looked_at = ", ".join(columns[:MOST_COLUMNS]) or "1"
    [found] = _count(table, f"(SELECT hash({looked_at}) AS h0 FROM {source})", 1, rows)
    return replace(found, exact=found.exact and (len(columns) <= MOST_COLUMNS or found.distinct == found.rows))


def of_keys(
    table: Table,
    source: str,
    overviews: Sequence[Overview],
    rows: int,
    begun: Callable[[int], None] = lambda done: None,
) -> dict[int, Repeats]:
    """By the position of those columns that may well be keys. `begun` is told how many of them are done."""
    found: dict[int, Repeats] = {}
    candidates = [one for one in overviews if _may_be_key(one)]
    for start in range(0, len(candidates), KEYS_AT_ONCE):
        begun(start)
        fields = [one.field for one in candidates[start : start + KEYS_AT_ONCE]]
        hashes = ", ".join(
            f"CASE WHEN {field.value} IS NOT NULL THEN hash({field.value}) END AS h{place}"
            for place, field in enumerate(fields)
        )
        repeats = _count(table, f"(SELECT {hashes} FROM {projected(source, fields)})", len(fields), rows)
        found |= {field.position: one for field, one in zip(fields, repeats, strict=True)}
    return found


def _may_be_key(one: Overview) -> bool:
    """Those with fewer values were counted whole."""
    keyed = one.field.kind in (TEXT, OTHER) or one.field.whole
    return keyed and one.distinct > MOST_COUNTED and one.distinct >= LEAST_SHARE_OF_KEY * one.there


def _count(table: Table, hashes: str, width: int, rows: int) -> list[Repeats]:
    exact = rows <= MOST_EXACT_ROWS
    names = [f"h{place}" for place in range(width)]
    chosen = ["true" if exact else f"{name} % {rows // SAMPLE_ROWS} = 0" for name in names]
    asked = ", ".join(
        f"count({name}) FILTER ({own}), count(DISTINCT {name}) FILTER ({own})"
        for name, own in zip(names, chosen, strict=True)
    )
    counts = table.row(f"SELECT {asked} FROM {hashes} WHERE {' OR '.join(chosen)}")
    return [Repeats(n, distinct, exact) for n, distinct in zip(counts[::2], counts[1::2], strict=True)]
