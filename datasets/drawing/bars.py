"""Bars as rectangles in an SVG of 100 by 100, which the page stretches."""

from collections.abc import Sequence
from typing import NamedTuple

SIZE = 100.0
GAP = 0.12
"""The share of its place that a bar leaves empty."""
LEAST = 1.5
"""The height of a bar of something that is there and too little to be seen."""


class Bar(NamedTuple):
    """`y` from the top; `label` says what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str


def upright(
    counts: Sequence[float], labels: Sequence[str], lane: int = 0, lanes: int = 1, most: float = 0
) -> list[Bar]:
    """One for each count, side by side. With several `lanes` they share each place with the bars of other lanes.

    The highest, or one of `most`, is as high as can be.
    """
    step, top = SIZE / max(len(counts), 1), most or max(counts, default=0) or 1
    width = step * (1 - GAP) / lanes
    return [
        _bar(place * step + step * GAP / 2 + lane * width, width, count / top, label)
        for place, (count, label) in enumerate(zip(counts, labels, strict=True))
    ]


def _bar(x: float, width: float, part: float, label: str) -> Bar:
    height = max(part * SIZE, LEAST) if part else 0.0
    return Bar(round(x, 2), round(SIZE - height, 2), round(width, 2), round(height, 2), label)


def position(value: float, low: float, high: float) -> float:
    """Where a value stands between these, 0 to 100; those outside at the edge."""
    if high <= low:
        return SIZE / 2
    return round(min(max((value - low) / (high - low), 0.0), 1.0) * SIZE, 2)
