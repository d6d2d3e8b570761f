"""Stretches of empty buckets that are longer than is usual for a series.

Usual is up to the outer fence of J. W. Tukey, "Exploratory Data Analysis" (1977): the third quartile and three times
the distance of the quartiles, of how many empty buckets there are between one bucket with rows and the next (mostly
none). So in a series that has rows in nearly every bucket each empty one is a gap; in a sparse one only long
stretches are.
"""

from collections.abc import Sequence
from statistics import quantiles
from typing import NamedTuple

FENCE = 3
MOST = 100


class Gap(NamedTuple):
    """Numbers of buckets, [first, end)."""

    first: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.first


def gaps(buckets: Sequence[int], first: int, last: int) -> list[Gap]:
    """The MOST longest, in order. `buckets`: those with rows, ascending, of all from `first` to `last`."""
    if not buckets:
        return []
    bounds = zip([first - 1, *buckets], [*buckets, last + 1], strict=True)
    stretches = [Gap(before + 1, after) for before, after in bounds]
    low, _, high = quantiles([gap.length for gap in stretches], n=4, method="inclusive")
    usual = high + FENCE * (high - low)
    long = [gap for gap in stretches if gap.length > usual]
    return sorted(sorted(long, key=lambda gap: -gap.length)[:MOST])
