"""The groups of values whose shares are compared.

Numbers: up to ten of the same share in the baseline, between its deciles. Where many rows have the same number, deciles
fall together and there are fewer. What is below all of the baseline has a group of its own if that would else
be with its least number. Texts, booleans and all else: the 20 values most frequent on either side, and the rest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from datasets.kinds import plain
from datasets.kinds.comparing.side import Side
from datasets.kinds.profiling import quantiles, values
from datasets.kinds.profiling.field import constant, projected
from datasets.kinds.profiling.overview import Overview
from datasets.kinds.profiling.spread import before

MOST_CATEGORIES = 20
MOST_AT_ONCE = 50
REST = "all others"

Pair = tuple[Overview, Overview]
"""What is known of one column: here, and in the baseline."""


@dataclass(frozen=True)
class Group:
    """`data` and `other` are shares of the values that are not null."""

    label: str
    data: float
    other: float


def of_numbers(data: Side, other: Side, pairs: Sequence[Pair]) -> list[list[Group]]:
    """For each pair. Both have numbers."""
    found: list[list[Group]] = []
    for start in range(0, len(pairs), MOST_AT_ONCE):
        some = pairs[start : start + MOST_AT_ONCE]
        bounds = [_bounds(baseline) for _, baseline in some]
        here = _histograms(data, [own for own, _ in some], bounds)
        there = _histograms(other, [baseline for _, baseline in some], bounds)
        found += [_groups(_labels(own), *counts) for own, *counts in zip(bounds, here, there, strict=True)]
    return found


def _bounds(baseline: Overview) -> list[float]:
    """Groups go up to these and have them in them. The last is infinity."""
    deciles = {quantiles.at(baseline.grid or [], share) for share in quantiles.DECILES}
    least = min(deciles)
    below = {before(least)} if least == baseline.low else set()
    return sorted(below | deciles | {math.inf})


def _histograms(side: Side, overviews: Sequence[Overview], bounds: Sequence[Sequence[float]]) -> list[list[int]]:
    asked = ", ".join(
        f"map_values(histogram({one.field.number}, [{', '.join(map(constant, own))}]))"
        for one, own in zip(overviews, bounds, strict=True)
    )
    return list(side.table.row(f"SELECT {asked} FROM {projected(side.source, [one.field for one in overviews])}"))


def _labels(bounds: Sequence[float]) -> list[str]:
    first, *_ = bounds
    return [f"≤ {first:.6g}", *(_label(low, high) for low, high in pairwise(bounds))]


def _label(low: float, high: float) -> str:
    if math.isinf(high):
        return f"> {low:.6g}"
    return f"{high:.6g}" if low == before(high) else f"{low:.6g} – {high:.6g}"


def of_categories(data: Side, other: Side, pairs: Sequence[Pair]) -> list[list[Group]]:
    """For each pair. Both have values."""
    here = values.count(data.table, data.source, [own for own, _ in pairs], MOST_CATEGORIES)
    there = values.count(other.table, other.source, [baseline for _, baseline in pairs], MOST_CATEGORIES)
    chosen = [_chosen(own, here[own.field.position], base, there[base.field.position]) for own, base in pairs]
    wanted = zip(pairs, chosen, strict=True)
    own_counts = values.count_only(data.table, data.source, {own.field: texts for (own, _), texts in wanted})
    wanted = zip(pairs, chosen, strict=True)
    base_counts = values.count_only(other.table, other.source, {base.field: texts for (_, base), texts in wanted})
    return [
        _categories(texts, own, own_counts.get(own.field.position, {}), base, base_counts.get(base.field.position, {}))
        for (own, base), texts in zip(pairs, chosen, strict=True)
    ]


def _chosen(own: Overview, here: values.Values, baseline: Overview, there: values.Values) -> list[str]:
    """The texts with the greatest shares of both sides together."""
    shares: dict[str, float] = {}
    for one, found in ((own, here), (baseline, there)):
        for text, n in found.texts:
            shares[text[: plain.LONGEST_TEXT]] = shares.get(text[: plain.LONGEST_TEXT], 0.0) + n / one.there
    return sorted(shares, key=lambda text: (-shares[text], text))[:MOST_CATEGORIES]


def _categories(
    texts: Sequence[str], own: Overview, here: dict[str, int], baseline: Overview, there: dict[str, int]
) -> list[Group]:
    counts = [[counted.get(text, 0) for text in texts] for counted in (here, there)]
    rest = [one.there - sum(counted) for one, counted in zip((own, baseline), counts, strict=True)]
    return _groups([*map(plain.cut, texts), REST], [*counts[0], rest[0]], [*counts[1], rest[1]])


def _groups(labels: Sequence[str], data: Sequence[int], other: Sequence[int]) -> list[Group]:
    """Those that are on either side."""
    n, m = sum(data), sum(other)
    return [
        Group(label, here / n, there / m)
        for label, here, there in zip(labels, data, other, strict=True)
        if here or there
    ]
