"""Quantiles, and the median absolute deviation out of them.

Exact up to 100,000 rows. Above they are those of a t-digest (Dunning and Ertl, "Computing extremely accurate quantiles
using t-digests", 2019), which is off by less than 1 % of the rows, and less at the ends.
"""

import statistics
from collections.abc import Sequence

MOST_EXACT_ROWS = 100_000
SHOWN = ("0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99")
DECILES = [step / 10 for step in range(1, 10)]

_EXACT = sorted({*map(float, SHOWN), *DECILES})
_GRID = [step / 200 for step in range(1, 200)]


def aggregate(number: str, exact: bool) -> str:
    """SQL: the quantiles shown and the deciles, of a t-digest all half percents."""
    return f"quantile_cont({number}, {_EXACT})" if exact else f"approx_quantile({number}, {_GRID})"


def at(found: Sequence[float], share: float) -> float:
    """`share` is one of those shown, or a decile."""
    return found[(_EXACT if len(found) == len(_EXACT) else _GRID).index(share)]


def deviation(grid: Sequence[float]) -> float:
    """The median absolute deviation, out of all half percents: that of their values, which share the rows evenly."""
    middle = at(grid, 0.5)
    return statistics.median(abs(value - middle) for value in grid)
