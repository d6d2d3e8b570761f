"""How well straight lines from knot to knot stand for a series.

E. Keogh, S. Chu, D. Hart and M. Pazzani, "Segmenting time series: a survey and novel approach", in M. Last, A. Kandel,
H. Bunke (eds.), "Data Mining in Time Series Databases" (2004), 1–21.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import fsum


def explained(values: Sequence[float], places: Sequence[int], knots: Sequence[int]) -> float:
    """The share of the variance that is not left over, 0 to 1. `knots`: indexes, the first and the last among them."""
    mean = fsum(values) / len(values)
    total = fsum((value - mean) ** 2 for value in values)
    left = fsum((value - line) ** 2 for value, line in zip(values, _lines(values, places, knots), strict=True))
    return max(0.0, 1 - left / total) if total else 0.0


def _lines(values: Sequence[float], places: Sequence[int], knots: Sequence[int]) -> Iterator[float]:
    yield values[knots[0]]
    for start, end in pairwise(knots):
        slope = (values[end] - values[start]) / (places[end] - places[start])
        for index in range(start + 1, end + 1):
            yield values[start] + slope * (places[index] - places[start])
