"""The turning points of a series: peaks and troughs that it comes to from afar and goes afar from.

E. Fink and K. B. Pratt, "Indexing of compressed time series", in M. Last, A. Kandel, H. Bunke (eds.), "Data Mining in
Time Series Databases" (2004), 43–65: their "important" minima and maxima, by differences instead of ratios.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Confirms = Callable[[int, float], bool]
"""Whether at this place a distance from the extreme is enough to make that a turning point."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`size`: the distance from the extreme before, which for the first is where the series began to go there.

    `confirmed_at`: the place at which it was far enough behind.
    """

    place: int
    is_peak: bool
    size: float
    confirmed_at: int


def turns(values: Sequence[float], confirms: Confirms) -> Iterator[Turn]:
    """Peaks and troughs take turns. Where the series begins and ends is none. In linear time."""
    start = _first_way(values, confirms)
    if start is None:
        return
    before, confirmed = start
    sign = 1.0 if values[confirmed] > values[before] else -1.0
    extreme = _extreme(values, before, confirmed, sign)
    for index in range(confirmed, len(values)):
        if sign * (values[index] - values[extreme]) > 0:
            extreme = index
        elif confirms(index, sign * (values[extreme] - values[index])):
            yield Turn(extreme, sign > 0, abs(values[extreme] - values[before]), index)
            sign = -sign
            before, extreme = extreme, _extreme(values, extreme, index, sign)


def _first_way(values: Sequence[float], confirms: Confirms) -> tuple[int, int] | None:
    """From which extreme, and where it was far enough behind."""
    low = high = 0
    for index, value in enumerate(values):
        low = index if value < values[low] else low
        high = index if value > values[high] else high
        if confirms(index, value - values[low]):
            return low, index
        if confirms(index, values[high] - value):
            return high, index
    return None


def _extreme(values: Sequence[float], first: int, last: int, sign: float) -> int:
    return max(range(first, last + 1), key=lambda index: sign * values[index])
