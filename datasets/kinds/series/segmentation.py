"""A series in parts of different levels, by binary segmentation.

The series is cut where two levels explain it best, then the parts likewise, the best cut of all parts first, as long as
a cut explains more than noise would: A. J. Scott and M. Knott, "A cluster analysis method for grouping means in the
analysis of variance", Biometrics 30 (1974), 507–512; L. Yu. Vostrikova, "Detecting 'disorder' in multidimensional
random processes", Soviet Mathematics Doklady 24 (1981), 55–59. A cut has to lower the sum of squares, in units of the
noise's variance, by more than 3 · ln n, as in N. R. Zhang and D. O. Siegmund, "A modified Bayes information
criterion", Biometrics 63 (2007), 22–32. Then each is moved to the best place between its neighbours: J. Bai,
"Estimating multiple breaks one at a time", Econometric Theory 13 (1997), 315–352.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import accumulate
from math import log

MOST_CUTS = 60
SHORTEST = 3
"""Values of one part."""
PENALTY = 3.0


class Segmentation:
    """Of values in units of the noise. A cut is the index of the first value of the part after it."""

    def __init__(self, values: Sequence[float]) -> None:
        self._sums = list(accumulate(values, initial=0.0))
        self._count = len(values)
        self._penalty = PENALTY * log(self._count)

    def gain(self, start: int, cut: int, end: int) -> float:
        """By how much two levels lower the sum of squares of [start, end)."""
        left, right = cut - start, end - cut
        before = (self._sums[cut] - self._sums[start]) / left
        after = (self._sums[end] - self._sums[cut]) / right
        return left * right / (left + right) * (after - before) ** 2

    def cuts(self) -> list[int]:
        """At most MOST_CUTS. In O(n log n) where parts are halved, O(MOST_CUTS · n) in any case."""
        found: list[int] = []
        waiting: list[tuple[float, int, int, int]] = []
        parts = [(0, self._count)]
        while len(found) < MOST_CUTS:
            for start, end in parts:
                gain, cut = self._best(start, end)
                heappush(waiting, (-gain, cut, start, end))
            lost, cut, start, end = heappop(waiting)
            if -lost <= self._penalty:
                break
            found.append(cut)
            parts = [(start, cut), (cut, end)]
        return self.settled(sorted(found))

    def settled(self, cuts: Sequence[int]) -> list[int]:
        """Each at the best place between its neighbours, or left out where none is good enough any more."""
        kept: list[int] = []
        for number in range(len(cuts)):
            start = kept[-1] if kept else 0
            end = cuts[number + 1] if number + 1 < len(cuts) else self._count
            gain, cut = self._best(start, end)
            if gain > self._penalty:
                kept.append(cut)
        return kept

    def _best(self, start: int, end: int) -> tuple[float, int]:
        """The greatest gain in [start, end), and where; 0 for what is too short."""
        places = range(start + SHORTEST, end - SHORTEST + 1)
        return max(((self.gain(start, cut, end), cut) for cut in places), default=(0.0, start))
