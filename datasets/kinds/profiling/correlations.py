"""Pearson's correlation of numeric columns, of each two over the rows that have both."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from datasets.engine.table import Table
from datasets.kinds.profiling.field import NUMBER, projected
from datasets.kinds.profiling.overview import Overview

MOST_COLUMNS = 20


def take(table: Table, source: str, overviews: Sequence[Overview]) -> list[dict[str, Any]]:
    """Of the first 20 columns that vary, strongest first: [{"a", "b", "pearson", "n"}]."""
    fields = [one.field for one in overviews if one.field.kind == NUMBER and one.std][:MOST_COLUMNS]
    pairs = list(combinations(fields, 2))
    if not pairs:
        return []
    asked = ", ".join(f"corr({a.number}, {b.number}), regr_count({a.number}, {b.number})" for a, b in pairs)
    values = table.row(f"SELECT {asked} FROM {projected(source, fields)}")
    found = [
        {"a": a.name, "b": b.name, "pearson": max(-1.0, min(1.0, pearson)), "n": n}
        for (a, b), pearson, n in zip(pairs, values[::2], values[1::2], strict=True)
        if pearson is not None and math.isfinite(pearson)
    ]
    return sorted(found, key=lambda one: -abs(one["pearson"]))
