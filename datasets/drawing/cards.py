"""The columns of a profile, a card for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from datasets.drawing import bars
from datasets.drawing.bars import Bar
from datasets.templatetags.figures import figure, moment

QUANTILES = {
    "0.01": "1 %",
    "0.05": "5 %",
    "0.25": "25 %",
    "0.5": "median",
    "0.75": "75 %",
    "0.95": "95 %",
    "0.99": "99 %",
}
TOP_SHOWN, TOP_SHOWN_BELOW_BARS = 8, 3
HINTS = {
    "all_null": "nothing in it",
    "constant": "the same everywhere",
    "unique": "each value once",
    "likely_key": "likely a key",
    "likely_time": "likely a time",
    "likely_number": "likely a number",
    "likely_category": "likely a category",
}


class Box(NamedTuple):
    """Where quantiles stand below a histogram, 0 to 100."""

    low: float
    first: float
    median: float
    third: float
    high: float


@dataclass(frozen=True, slots=True)
class Top:
    """`width` of its bar, 0 to 100, the most frequent value's being whole; `share` of the values that are there."""

    value: Any
    count: int
    share: float
    width: float


class Card(NamedTuple):
    """`column` as the profile has it; `bins` as text and count; `first` and `last` edge, and the whole in words."""

    column: Mapping[str, Any]
    bins: list[tuple[str, int]]
    bars: list[Bar]
    first: str
    last: str
    summary: str
    box: Box | None
    quantiles: list[tuple[str, Any]]
    top: list[Top]
    hints: list[str]


def cards(data: Mapping[str, Any], most: int) -> list[Card]:
    """Those with something to see first, and last those with one value or none."""
    return sorted((card(column, data["rows"]) for column in data["columns"][:most]), key=_place)


def _place(card: Card) -> int:
    if card.column.get("distinct", 0) <= 1:
        return 2
    return 0 if card.bars or card.top else 1


def card(column: Mapping[str, Any], rows: int) -> Card:
    histogram = column.get("histogram") or []
    bins = [(f"{edge(one['from'])} – {edge(one['to'])}", one["count"]) for one in histogram]
    quantiles = column.get("quantiles") or {}
    return Card(
        column=column,
        bins=bins,
        bars=bars.upright([count for _, count in bins], [f"{label}: {count:,}" for label, count in bins]),
        first=edge(histogram[0]["from"]) if bins else "",
        last=edge(histogram[-1]["to"]) if bins else "",
        summary=_in_words(bins),
        box=_box(quantiles, histogram),
        quantiles=[(QUANTILES.get(name, name), quantiles[name]) for name in sorted(quantiles, key=float)],
        top=_top(column.get("top") or [], rows - (column.get("nulls") or 0))[
            : TOP_SHOWN_BELOW_BARS if bins else TOP_SHOWN
        ],
        hints=[HINTS.get(hint, str(hint).replace("_", " ")) for hint in column.get("hints") or []],
    )


def edge(value: Any) -> str:
    """Of a stretch of numbers or of time."""
    return moment(value) if isinstance(value, str) else figure(value)


def _in_words(bins: Sequence[tuple[str, int]]) -> str:
    if not bins:
        return ""
    label, count = max(bins, key=lambda one: one[1])
    return f"Histogram of {len(bins)} bars; the highest has {count:,} values, {label}"


def _top(values: Sequence[Mapping[str, Any]], there: int) -> list[Top]:
    """None where each is there once: which ones these are says nothing."""
    most = max((one["count"] for one in values), default=0)
    if most < 2 < there:
        return []
    return [
        Top(one["value"], one["count"], one["count"] / max(there, 1), round(one["count"] / most * 100, 1))
        for one in values
    ]


def _box(quantiles: Mapping[str, Any], histogram: Sequence[Mapping[str, Any]]) -> Box | None:
    ends = [histogram[0]["from"], histogram[-1]["to"]] if histogram else []
    found = [*ends, *(quantiles.get(name) for name in ("0.01", "0.25", "0.5", "0.75", "0.99"))]
    numbers = [float(value) for value in found if isinstance(value, int | float)]
    if len(numbers) < 7:
        return None
    low, high, *values = numbers
    return Box(*(bars.position(value, low, high) for value in values))
