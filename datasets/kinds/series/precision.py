"""Means of the same numbers differ in their last digits by the order in which they were summed."""

from collections.abc import Sequence

SAME = 1e-12
"""Of the greatest value: what is less apart than about this is the same."""


def rounded(values: Sequence[float]) -> list[float]:
    """So that a series that does not change, does not."""
    step = SAME * max(map(abs, values), default=0.0)
    return [round(value / step) * step for value in values] if step else list(values)
