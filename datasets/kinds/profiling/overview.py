"""What one pass over a column tells.

Distinct values are estimated by HyperLogLog (Flajolet et al. 2007; DuckDB's has a standard error of about 3 %).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from datasets.engine.table import Table
from datasets.kinds.profiling import quantiles
from datasets.kinds.profiling.field import NUMBER, TEXT, TIME, Field, projected

MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Overview:
    """`there`: rows that are not null. `finite`: those with a number. `low` and `high` are of finite numbers.

    `least` and `greatest` are exact: numbers or texts. `deviation` is `mad` where that is exact. `as_number` and
    `as_time`: how many texts can be read so.
    """

    field: Field
    there: int
    distinct: int
    least: Any = None
    greatest: Any = None
    finite: int = 0
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    grid: Sequence[float] | None = None
    deviation: float | None = None
    empty: int = 0
    shortest: int | None = None
    longest: int | None = None
    mean_length: float | None = None
    as_number: int = 0
    as_time: int = 0

    @property
    def range(self) -> tuple[float, float]:
        """Of columns that have finite numbers."""
        assert self.low is not None, "There is no finite number."
        assert self.high is not None
        return self.low, self.high

    @property
    def mad(self) -> float | None:
        """The median absolute deviation from the median."""
        if self.deviation is not None or self.grid is None:
            return self.deviation
        return quantiles.deviation(self.grid)

    @property
    def filled(self) -> int:
        """Neither null nor an empty text."""
        return self.there - self.empty


def take(
    table: Table, source: str, fields: Sequence[Field], exact: bool, begun: Callable[[int], None] = lambda done: None
) -> list[Overview]:
    """`exact`: whether quantiles are. `begun` is told how many columns are done."""
    found: list[Overview] = []
    for start in range(0, len(fields), MOST_AT_ONCE):
        begun(start)
        found += _some(table, source, fields[start : start + MOST_AT_ONCE], exact)
    return found


def _some(table: Table, source: str, fields: Sequence[Field], exact: bool) -> list[Overview]:
    asked = [(field, name, sql) for field in fields for name, sql in _aggregates(field, exact).items()]
    values = table.row(f"SELECT {', '.join(sql for *_, sql in asked)} FROM {projected(source, fields)}")
    members: dict[int, dict[str, Any]] = {field.position: {} for field in fields}
    for (field, name, _), value in zip(asked, values, strict=True):
        members[field.position][name] = value
    return [Overview(field=field, **members[field.position]) for field in fields]


def _aggregates(field: Field, exact: bool) -> dict[str, str]:
    """SQL by the member of Overview."""
    value = field.value
    asked = {"there": f"count({value})", "distinct": f"approx_count_distinct({value})"}
    if field.kind == TEXT:
        return asked | _of_text(value)
    if field.measured:
        return asked | _of_number(field, exact)
    return asked


def _of_text(value: str) -> dict[str, str]:
    return {
        "empty": f"count(*) FILTER ({value} = '')",
        "least": f"left(min({value}), 200)",
        "greatest": f"left(max({value}), 200)",
        "shortest": f"min(length({value}))",
        "longest": f"max(length({value}))",
        "mean_length": f"avg(length({value}))",
        "as_number": f"count(TRY_CAST({value} AS DOUBLE))",
        "as_time": f"count(TRY_CAST({value} AS TIMESTAMP WITH TIME ZONE))",
    }


def _of_number(field: Field, exact: bool) -> dict[str, str]:
    number = field.number
    extreme = {TIME: "CAST({}({}) AS VARCHAR)"}.get(field.kind, "{}({})")
    of = field.value if field.kind == TIME or field.whole else number
    asked = {
        "least": extreme.format("min", of),
        "greatest": extreme.format("max", of),
        "finite": f"count({number})",
        "low": f"min({number})",
        "high": f"max({number})",
        "mean": f"avg({number})",
        "std": f"stddev_samp({number})",
        "grid": quantiles.aggregate(number, exact),
    }
    return asked | ({"deviation": f"mad({number})"} if exact and field.kind == NUMBER else {})
