"""The missing-value map of a profile: for each column, where along the rows or along time values are missing."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from datasets.drawing import bars
from datasets.drawing.bars import Bar
from datasets.drawing.cards import edge
from datasets.templatetags.figures import share

FAINTEST = 0.08


class Line(NamedTuple):
    """`cells`: each stretch that misses something, and how dark it is, 0 to 1."""

    name: str
    share: float
    summary: str
    cells: list[tuple[Bar, float]]


def drawn(data: Mapping[str, Any]) -> dict[str, Any]:
    """`lines` of columns that miss something; how many are `complete`; where the map begins and its last cell does."""
    found = data.get("missing") or {"columns": [], "buckets": []}
    buckets = found["buckets"]
    rates = {column["name"]: column.get("null_rate") or 0 for column in data["columns"]}
    lines = [
        _line(name, rates.get(name, 0), [(edge(bucket["from"]), bucket["rate"][place]) for bucket in buckets])
        for place, name in enumerate(found["columns"])
    ]
    return {
        "lines": [line for line in lines if line.cells],
        "complete": sum(1 for column in data["columns"] if not column.get("nulls")),
        "first": edge(buckets[0]["from"]) if buckets else "",
        "last": edge(buckets[-1]["from"]) if buckets else "",
        "is_time": bool(buckets) and isinstance(buckets[0]["from"], str),
    }


def _line(name: str, rate: float, buckets: Sequence[tuple[str, float | None]]) -> Line:
    places = bars.upright([1] * len(buckets), [f"from {start}: {share(part)}" for start, part in buckets])
    cells = [(bar, round(max(part, FAINTEST), 2)) for bar, (_, part) in zip(places, buckets, strict=True) if part]
    start, most = max(buckets, key=lambda bucket: bucket[1] or 0, default=("", 0.0))
    summary = f"Missing in {len(cells)} of {len(buckets)} stretches; most, {share(most)}, in that from {start}"
    return Line(name, rate, summary, cells)
