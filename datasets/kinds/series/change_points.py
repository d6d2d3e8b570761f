"""Where the level of a series changes at once.

Binary segmentation finds the candidates (`segmentation`), but takes slopes and waves for stairs. So a cut counts only
if the two levels beside it explain these two parts better than a parabola through both, which has as many parameters,
by more than ln n of the noise's variance; the worst is dropped first, which makes the parts beside it one. The noise's
deviation is that of the differences of neighbours, by their MAD, over √2, which levels do not enter into.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log, sqrt
from statistics import fmean, median, pstdev

from datasets.kinds.series.rolling import SIGMA_OF_MAD, SIGMA_OF_MEAN_DEVIATION
from datasets.kinds.series.segmentation import SHORTEST, Segmentation

MOST = 20
LEAST_NOISE = 1e-3
"""Of the standard deviation of the series, which what is calculated and not measured may not reach."""

Margin = Callable[[int, int, int], float]


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """`place`: index of the first value of the new level. The means of the levels before and after. `score`: their
    difference in standard errors.
    """

    place: int
    before: float
    after: float
    score: float


def change_points(values: Sequence[float]) -> list[ChangePoint]:
    """The MOST with the highest scores, in order."""
    noise = _noise(values)
    if not noise:
        return []
    middle = fmean(values)
    scaled = [(value - middle) / noise for value in values]
    parts = Segmentation(scaled)

    @cache
    def margin(start: int, cut: int, end: int) -> float:
        return parts.gain(start, cut, end) - _gain_of_parabola(scaled[start:end])

    cuts = parts.settled(_abrupt(parts.cuts(), len(values), margin))
    best = sorted(_points(values, parts, cuts), key=lambda point: -point.score)[:MOST]
    return sorted(best, key=lambda point: point.place)


def _noise(values: Sequence[float]) -> float:
    """Its standard deviation; 0 for too few values."""
    if len(values) < 2 * SHORTEST:
        return 0.0
    differences = [after - before for before, after in pairwise(values)]
    middle = median(differences)
    deviations = [abs(one - middle) for one in differences]
    noise = (SIGMA_OF_MAD * median(deviations) or SIGMA_OF_MEAN_DEVIATION * fmean(deviations)) / sqrt(2)
    return max(noise, LEAST_NOISE * pstdev(values))


def _abrupt(cuts: list[int], count: int, margin: Margin) -> list[int]:
    kept = list(cuts)
    while kept:
        margins = [margin(*ends) for ends in _ends(kept, count)]
        worst = min(range(len(kept)), key=margins.__getitem__)
        if margins[worst] > log(count):
            break
        del kept[worst]
    return kept


def _ends(cuts: Sequence[int], count: int) -> list[tuple[int, int, int]]:
    """Of each cut: where the part before begins, the cut, where the part after ends."""
    bounds = [0, *cuts, count]
    return list(zip(bounds, bounds[1:], bounds[2:], strict=False))


def _points(values: Sequence[float], parts: Segmentation, cuts: Sequence[int]) -> list[ChangePoint]:
    return [
        ChangePoint(cut, fmean(values[start:cut]), fmean(values[cut:end]), sqrt(parts.gain(start, cut, end)))
        for start, cut, end in _ends(cuts, len(values))
    ]


def _gain_of_parabola(values: Sequence[float]) -> float:
    """By how much it lowers the sum of squares. At equal distances its line and its square are at right angles."""
    middle = (len(values) - 1) / 2
    line = [place - middle for place in range(len(values))]
    mean_square = fmean(one * one for one in line)
    square = [one * one - mean_square for one in line]
    mean = fmean(values)
    gain = 0.0
    for shape in (line, square):
        along = sum(one * (value - mean) for one, value in zip(shape, values, strict=True))
        gain += along * along / sum(one * one for one in shape)
    return gain
