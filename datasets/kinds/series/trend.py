"""The straight line through a series, by least squares.

N. R. Draper and H. Smith, "Applied Regression Analysis", 3rd edition (1998), chapter 1.
"""

from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

FEWEST = 3


class Trend(NamedTuple):
    """`slope` for each unit of time; `intercept`: the line's value at time 0; `r2`: the share of the variance that the
    line accounts for, None for a series that does not vary.
    """

    slope: float
    intercept: float
    r2: float | None


def trend(times: Sequence[float], values: Sequence[float]) -> Trend | None:
    """None for fewer than FEWEST values. Times differ."""
    count = len(values)
    if count < FEWEST:
        return None
    middle, mean = fsum(times) / count, fsum(values) / count
    spread = fsum((time - middle) ** 2 for time in times)
    slope = fsum((time - middle) * (value - mean) for time, value in zip(times, values, strict=True)) / spread
    total = fsum((value - mean) ** 2 for value in values)
    return Trend(slope, mean - slope * middle, min(1.0, slope * slope * spread / total) if total else None)
