"""Medians of windows that slide over a series, and values that stand out from them (the Hampel filter).

F. R. Hampel, "The influence curve and its role in robust estimation", Journal of the American Statistical Association
69 (1974), 383–393; R. K. Pearson, "Outliers in process modeling and identification", IEEE Transactions on Control
Systems Technology 10 (2002), 55–63.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SIGMA_OF_MAD = 1.4826
"""What the median absolute deviation of normal values is multiplied with to be their standard deviation."""
SIGMA_OF_MEAN_DEVIATION = 1.2533
"""Likewise for the mean absolute deviation, which is the scale where more than half of a window is one value and the
MAD is 0: B. Iglewicz and D. C. Hoaglin, "How to detect and handle outliers" (1993).
"""


@dataclass(frozen=True, slots=True)
class Level:
    """Of the window around a value: its median, its median absolute deviation, and how much a standard deviation is."""

    median: float
    mad: float
    scale: float


def levels(values: Sequence[float], places: Sequence[int], window: int) -> list[Level]:
    """One for each value, of the values whose place is at most window // 2 away. `places` ascend."""
    half = window // 2
    found = []
    start = end = 0
    for place in places:
        while places[start] < place - half:
            start += 1
        while end < len(places) and places[end] <= place + half:
            end += 1
        found.append(_level(values[start:end]))
    return found


def score(value: float, level: Level) -> float:
    """How many standard deviations off the median of its window."""
    distance = abs(value - level.median)
    return distance / level.scale if distance else 0.0


def _level(window: Sequence[float]) -> Level:
    middle = median(window)
    deviations = [abs(value - middle) for value in window]
    mad = median(deviations)
    scale = SIGMA_OF_MAD * mad or SIGMA_OF_MEAN_DEVIATION * sum(deviations) / len(deviations)
    return Level(middle, mad, scale)
