"""A profile: its passes over the table in their order, and what they found put together."""

from collections.abc import Callable, Sequence
from typing import Any

from datasets.engine.table import Table
from datasets.kinds.kind import Progress
from datasets.kinds.profiling import (
    correlations,
    disguise,
    field,
    missing,
    overview,
    quantiles,
    repeats,
    sheet,
    spread,
    values,
)
from datasets.kinds.profiling.overview import Overview

SHARES = {"overview": 0.0, "values": 0.6, "spread": 0.65, "repeats": 0.8, "missing": 0.9, "correlations": 0.95}
"""Of the work, when each pass begins."""


def profile(table: Table, names: Sequence[str] | None, top: int, progress: Progress) -> dict[str, Any]:
    """Shape: see docs/datasets.md. Raises Refused for a column that is not there."""
    source, fields = table.name, field.of(table, names)
    [rows] = table.row(f"SELECT count(*) FROM {source}")
    exact = rows <= quantiles.MOST_EXACT_ROWS

    def begun(step: str, words: str, end: str) -> Callable[[int], None]:
        def tell(done: int) -> None:
            share = SHARES[step] + (SHARES[end] - SHARES[step]) * done / max(len(fields), 1)
            progress(share, f"{words}, {done} of {len(fields)} columns done")

        return tell

    seen = overview.take(table, source, fields, exact, begun("overview", "Range and quantiles", "values"))
    time = _time(table, seen, exact)
    top_values = values.count(table, source, seen, top, begun("values", "Most frequent values", "spread"))
    examples = disguise.examples(table, source, seen)
    spreads = spread.take(table, source, seen, begun("spread", "Histograms and outliers", "repeats"))
    keys = repeats.of_keys(table, source, seen, rows, begun("repeats", "Keys", "missing"))
    progress(SHARES["repeats"], "Duplicates")
    same = repeats.of_rows(table, source, rows)
    progress(SHARES["missing"], "Missing values")
    gaps = missing.take(table, source, seen, rows, time)
    progress(SHARES["correlations"], "Correlations")
    related = correlations.take(table, source, seen)
    return {
        "rows": rows,
        "bytes": table.snapshot.bytes,
        "time": sheet.of_time(time, table.snapshot.taken_at),
        "duplicates": sheet.of_repeats(same, rows),
        "columns": [
            sheet.of_column(
                one,
                rows,
                values=top_values[one.field.position],
                spread=spreads.get(one.field.position),
                repeats=keys.get(one.field.position),
                examples=examples.get(one.field.position, []),
                exact=exact,
            )
            for one in seen
        ],
        "correlations": related,
        "missing": gaps,
    }


def _time(table: Table, seen: Sequence[Overview], exact: bool) -> Overview | None:
    """The column that time goes by, if the snapshot has one with times in it."""
    name = table.snapshot.time_column
    found = next((one for one in seen if one.field.name == name), None)
    if found is None and name in {column.name for column in table.columns}:
        [found] = overview.take(table, table.name, field.of(table, [name]), exact)
    return found if found is not None and found.field.kind == field.TIME and found.finite else None
