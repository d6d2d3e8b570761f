"""Histograms of numbers and times, and numbers far from the others.

Outliers are told by two rules: beyond 1.5 interquartile ranges from the quartiles (Tukey, "Exploratory Data Analysis",
1977), and with a modified z-score 0.6745 (x - median) / MAD beyond 3.5 (Iglewicz and Hoaglin, "How to Detect and Handle
Outliers", 1993), MAD being the median absolute deviation from the median.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from datasets.engine.table import Table
from datasets.kinds.profiling import quantiles
from datasets.kinds.profiling.field import NUMBER, constant, projected
from datasets.kinds.profiling.overview import Overview

MOST_BINS = 30
MOST_AT_ONCE = 50
FENCE_RANGES = 1.5
MOST_Z = 3.5
Z_OF_MAD = 0.6745

Fence = tuple[float, float]


@dataclass(frozen=True)
class Bin:
    """Values from `low` up to `high`, in seconds for times; `high` itself is in the last one only."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Beyond:
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Spread:
    bins: list[Bin]
    iqr: Beyond | None = None
    mad: Beyond | None = None


def take(
    table: Table, source: str, overviews: Sequence[Overview], begun: Callable[[int], None] = lambda done: None
) -> dict[int, Spread]:
    """By the position of the column. `begun` is told how many columns are done."""
    measured = [one for one in overviews if one.finite]
    found: dict[int, Spread] = {}
    for start in range(0, len(measured), MOST_AT_ONCE):
        begun(start)
        some = measured[start : start + MOST_AT_ONCE]
        plans = [_Plan.of(one) for one in some]
        counts = table.row(
            f"SELECT {', '.join(plan.sql for plan in plans)} FROM {projected(source, [one.field for one in some])}"
        )
        found |= {plan.one.field.position: plan.read(own) for plan, own in zip(plans, counts, strict=True)}
    return found


@dataclass(frozen=True)
class _Plan:
    """One histogram has the edges of the bins and of the fences, so that the values are looked at once.

    DuckDB's bins go up to their bound and have it in them. What is below an edge is so what is up to the float before.
    """

    one: Overview
    edges: list[float]
    iqr: Fence | None
    mad: Fence | None

    @classmethod
    def of(cls, one: Overview) -> "_Plan":
        return cls(one, edges(*one.range, one.field.unit), *_fences(one))

    @property
    def bounds(self) -> list[float]:
        found = {before(edge) for edge in self.edges[1:-1]}
        for low, high in filter(None, (self.iqr, self.mad)):
            found |= {before(low), high}
        return sorted(found | {math.inf})

    @property
    def sql(self) -> str:
        return f"map_values(histogram({self.one.field.number}, [{', '.join(map(constant, self.bounds))}]))"

    def read(self, counts: Sequence[int]) -> Spread:
        up_to = dict(zip(self.bounds, accumulate(counts), strict=False))
        inner = [up_to[before(edge)] for edge in self.edges[1:-1]]
        bins = [
            Bin(low, high, last - first)
            for (low, high), (first, last) in zip(
                pairwise(self.edges), pairwise([0, *inner, self.one.finite]), strict=True
            )
        ]
        return Spread(bins, self._beyond(self.iqr, up_to), self._beyond(self.mad, up_to))

    def _beyond(self, fence: Fence | None, up_to: dict[float, int]) -> Beyond | None:
        if fence is None:
            return None
        low, high = fence
        return Beyond(low, high, up_to[before(low)] + self.one.finite - up_to[high])


def before(value: float) -> float:
    """The greatest float below."""
    return math.nextafter(value, -math.inf)


def edges(low: float, high: float, unit: float | None) -> list[float]:
    """Of up to 30 bins of one width that hold all from `low` to `high`; a width of whole units, if there is one."""
    if unit is not None and high - low < 2**53:
        units = round((high - low) / unit) + 1
        each = -(-units // MOST_BINS)
        return [low + unit * step for step in range(0, each * -(-units // each) + 1, each)]
    width = high / MOST_BINS - low / MOST_BINS  # what lies between may be more than a float can be
    inner = {low + width * step for step in range(1, MOST_BINS)}
    return [low, *sorted(edge for edge in inner if low < edge < high), high]


def _fences(one: Overview) -> Iterator[Fence | None]:
    """By the interquartile range, by the median absolute deviation. None without any spread, or of times."""
    if one.field.kind != NUMBER or one.grid is None:
        yield from (None, None)
        return
    first, middle, third = (quantiles.at(one.grid, share) for share in (0.25, 0.5, 0.75))
    yield _fence(first, third, FENCE_RANGES * (third - first))
    yield _fence(middle, middle, MOST_Z * (one.mad or 0.0) / Z_OF_MAD)


def _fence(low: float, high: float, margin: float) -> Fence | None:
    fence = low - margin, high + margin
    return fence if margin > 0 and all(map(math.isfinite, fence)) else None
