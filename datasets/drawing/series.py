"""Time series and swings as their pages show them: facts and tables here, the curves in charts/*.js."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

POINTS_SHOWN = 300
EVENTS_SHOWN = 200
"""Of outliers, change points, gaps and turning points, in their tables."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`points` are those of its table, at most POINTS_SHOWN, evenly taken."""

    number: int
    column: str
    found: Mapping[str, Any]
    count: int
    low: float | None
    high: float | None
    mean: float | None
    points: list[Sequence[Any]]
    is_sample: bool

    @property
    def outliers(self) -> list[Any]:
        return list(self.found.get("outliers") or [])[:EVENTS_SHOWN]

    @property
    def change_points(self) -> list[Any]:
        return list(self.found.get("change_points") or [])[:EVENTS_SHOWN]


def metrics(data: Mapping[str, Any]) -> list[Metric]:
    return [_metric(number, metric) for number, metric in enumerate(data["metrics"])]


def _metric(number: int, metric: Mapping[str, Any]) -> Metric:
    """Points are [t, count, mean, min, max, p95]."""
    points: list[Sequence[Any]] = list(metric["points"])
    count = sum(point[1] or 0 for point in points)
    lows = [point[3] for point in points if point[3] is not None]
    highs = [point[4] for point in points if point[4] is not None]
    total = sum(point[2] * point[1] for point in points if point[2] is not None)
    shown = evenly(points, POINTS_SHOWN)
    return Metric(
        number=number,
        column=metric["column"],
        found=metric,
        count=count,
        low=min(lows, default=None),
        high=max(highs, default=None),
        mean=total / count if count else None,
        points=shown,
        is_sample=len(shown) < len(points),
    )


def gaps(data: Mapping[str, Any]) -> list[Any]:
    return list(data.get("gaps") or [])[:EVENTS_SHOWN]


def evenly(points: Sequence[Any], most: int) -> list[Any]:
    """All, or every n-th so that there are no more than `most`."""
    step = -(-len(points) // most) or 1
    return list(points[::step])


@dataclass(frozen=True, slots=True)
class Swings:
    """Points are [t, mean, variance, volatility, is_kept]."""

    turns: list[Any]
    kept: int
    points: list[Any]
    is_sample: bool

    @property
    def peaks(self) -> int:
        return sum(1 for turn in self.turns if turn["kind"] == "peak")

    @property
    def troughs(self) -> int:
        return len(self.turns) - self.peaks

    @property
    def turning_points(self) -> list[Any]:
        return self.turns[:EVENTS_SHOWN]


def swings(data: Mapping[str, Any]) -> Swings:
    points = data["points"]
    shown = evenly(points, POINTS_SHOWN)
    return Swings(
        turns=list(data.get("turning_points") or []),
        kept=sum(1 for point in points if point[4]),
        points=shown,
        is_sample=len(shown) < len(points),
    )
