"""`swings`: where a number turned, and how much of what it did were swings. docs/datasets.md has the formula."""

from collections.abc import Sequence
from functools import cached_property
from math import isfinite
from typing import Annotated, Any

from msgspec import Meta

from datasets.engine.table import Table, quoted
from datasets.kinds.kind import Kind, Progress, register
from datasets.kinds.series.buckets import MINUTE, MOST_BUCKETS, Axis, SeriesParameters, axis, numeric
from datasets.kinds.series.polyline import explained
from datasets.kinds.series.precision import rounded
from datasets.kinds.series.volatility import thresholds, volatility
from datasets.kinds.series.zigzag import Turn, turns

FORMULA_VERSION = 1
BUCKET_SECONDS = 5 * MINUTE


class SwingsParameters(SeriesParameters, frozen=True, forbid_unknown_fields=True):
    """`metric`: a column with numbers; by default the first. Without `bucket` five minutes, more for long times.

    `window`: buckets around each that tell how much volatility is usual, an odd number; `factor`: how many deviations
    above that a bucket has to be to count; `reversal`: how many thresholds long a way is that is no noise.
    """

    metric: str = ""
    window: Annotated[int, Meta(ge=3, le=301)] = 49
    factor: Annotated[float, Meta(ge=0, le=10)] = 0.5
    reversal: Annotated[float, Meta(gt=0, le=100)] = 6.0


@register
class SwingsKind(Kind[SwingsParameters]):
    name, title, Parameters = "swings", "Swings", SwingsParameters

    def run(self, tables: Sequence[Table], parameters: SwingsParameters, progress: Progress) -> dict[str, Any]:
        """Times are Unix milliseconds. Points: [t, mean, variance, volatility, is_kept]."""
        [table, *_] = tables
        metric = numeric(table, [parameters.metric] if parameters.metric else [])[0]
        progress(0.0, f"{metric} over time")
        found = axis(table, parameters, MOST_BUCKETS, shortest=BUCKET_SECONDS)
        reading = _Reading(found, metric, parameters)
        return {
            "metric": metric,
            "bucket_seconds": found.seconds,
            "points": reading.points(),
            "threshold": reading.threshold(),
            "turning_points": reading.turning_points(),
            "score": reading.score(),
            "formula_version": FORMULA_VERSION,
        }


class _Reading:
    def __init__(self, found: Axis, metric: str, parameters: SwingsParameters) -> None:
        value = f"CAST({quoted(metric)} AS DOUBLE)"
        figures = found.figures(f"avg({value}), var_pop({value})", f"isfinite({value})")
        self._figures = [figure for figure in figures if all(map(isfinite, figure))]
        self._buckets = [bucket for bucket, _, _ in self._figures]
        self._times = [found.milliseconds(bucket) for bucket in self._buckets]
        self._means = rounded([mean for _, mean, _ in self._figures])
        self._volatility = volatility(self._means)
        self._thresholds = thresholds(self._volatility, self._buckets, parameters.window, parameters.factor)
        self._reversal = parameters.reversal

    @cached_property
    def _turns(self) -> list[Turn]:
        return list(turns(self._means, self._confirms))

    def _confirms(self, index: int, distance: float) -> bool:
        return self._is_kept(index) and distance > self._reversal * self._thresholds[index]

    def _is_kept(self, index: int) -> bool:
        """Is it as restless as is usual around it, or more?"""
        return self._volatility[index] > 0 and self._volatility[index] >= self._thresholds[index]

    def points(self) -> list[list[Any]]:
        return [
            [time, mean, variance, self._volatility[index], self._is_kept(index)]
            for index, (time, (_, mean, variance)) in enumerate(zip(self._times, self._figures, strict=True))
        ]

    def threshold(self) -> list[list[float]]:
        return [[time, value] for time, value in zip(self._times, self._thresholds, strict=True)]

    def turning_points(self) -> list[dict[str, Any]]:
        return [
            {
                "at": self._times[turn.place],
                "value": self._means[turn.place],
                "kind": "peak" if turn.is_peak else "trough",
                "score": turn.size / self._volatility[turn.confirmed_at],
            }
            for turn in self._turns
        ]

    def score(self) -> float:
        if not self._turns:
            return 0.0
        knots = [0, *(turn.place for turn in self._turns), len(self._means) - 1]
        return 100 * explained(self._means, self._buckets, knots)
