"""How restless a series is at each place, and how restless is usual around it.

The volatility is that of RiskMetrics: the root of the exponentially weighted mean of the squares of changes. J.P.
Morgan and Reuters, "RiskMetrics – Technical Document", 4th edition (1996), chapter 5.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import fmean

from datasets.kinds.series.rolling import SIGMA_OF_MAD, levels

DECAY = 0.94
FIRST_CHANGES = 20
"""The mean of their squares is what the weighted mean begins with."""


def volatility(values: Sequence[float]) -> list[float]:
    """One for each value; 0 for a single one."""
    squares = [(after - before) ** 2 for before, after in pairwise(values)]
    weighted = fmean(squares[:FIRST_CHANGES]) if squares else 0.0
    found = [sqrt(weighted)] if values else []
    for square in squares:
        weighted = DECAY * weighted + (1 - DECAY) * square
        found.append(sqrt(weighted))
    return found


def thresholds(volatilities: Sequence[float], places: Sequence[int], window: int, factor: float) -> list[float]:
    """The median of each window and `factor` standard deviations, by the MAD, above it."""
    return [level.median + factor * SIGMA_OF_MAD * level.mad for level in levels(volatilities, places, window)]
