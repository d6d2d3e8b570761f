"""`timeseries`: how numbers went over time; what stands out, what is missing, where it leads and where it changed."""

from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Any

from msgspec import Meta

from datasets.engine.table import Table, quoted
from datasets.kinds.kind import Kind, Progress, register
from datasets.kinds.series.buckets import DAY, MILLISECONDS, Axis, SeriesParameters, axis, numeric
from datasets.kinds.series.change_points import change_points
from datasets.kinds.series.gaps import gaps
from datasets.kinds.series.precision import rounded
from datasets.kinds.series.rolling import Level, levels, score
from datasets.kinds.series.trend import trend

USUAL_BUCKETS = 500
USUAL_METRICS, MOST_METRICS = 5, 10
MOST_EXACT_ROWS = 20_000_000
"""Up to here the quantile is that of all values, which are kept in memory for it; beyond, a t-digest's."""


class TimeseriesParameters(SeriesParameters, frozen=True, forbid_unknown_fields=True):
    """`metrics`: columns with numbers; by default the first five. `window`: buckets of the rolling median, an odd
    number; `deviations`: how many standard deviations off it an outlier is.
    """

    metrics: Annotated[list[str], Meta(max_length=MOST_METRICS)] = []
    window: Annotated[int, Meta(ge=3, le=301)] = 11
    deviations: Annotated[float, Meta(gt=0, le=100)] = 3.0


@register
class TimeseriesKind(Kind[TimeseriesParameters]):
    name, title, Parameters = "timeseries", "Time series", TimeseriesParameters

    def run(self, tables: Sequence[Table], parameters: TimeseriesParameters, progress: Progress) -> dict[str, Any]:
        """Times are Unix milliseconds, those of buckets when they begin. Points: [t, count, mean, min, max, p95]."""
        [table, *_] = tables
        names = numeric(table, parameters.metrics)[: len(parameters.metrics) or USUAL_METRICS]
        found = axis(table, parameters, USUAL_BUCKETS)
        metrics = []
        for number, name in enumerate(names):
            progress(number / len(names), f"{name} over time")
            metrics.append(_metric(found, name, parameters))
        return {
            "time_column": found.column,
            "bucket_seconds": found.seconds,
            "metrics": metrics,
            "gaps": _gaps(found),
        }


def _gaps(found: Axis) -> list[dict[str, int]]:
    buckets = [bucket for (bucket, _) in found.figures("count(*)")]
    return [
        {
            "from": found.milliseconds(gap.first),
            "to": found.milliseconds(gap.end),
            "seconds": gap.length * found.seconds,
        }
        for gap in gaps(buckets, found.first, found.last)
    ]


def _metric(found: Axis, name: str, parameters: TimeseriesParameters) -> dict[str, Any]:
    points = _points(found, name)
    means = rounded([point[2] for point in points])
    around = levels(means, [point[0] for point in points], parameters.window)
    times = [found.milliseconds(point[0]) for point in points]
    return {
        "column": name,
        "points": [[time, *point[1:]] for time, point in zip(times, points, strict=True)],
        "rolling_median": [[time, level.median] for time, level in zip(times, around, strict=True)],
        "outliers": [
            [time, mean, score(mean, level)]
            for time, mean, level in zip(times, means, around, strict=True)
            if score(mean, level) > parameters.deviations
        ],
        "trend": _trend(times, means),
        "change_points": _change_points(times, means, around, parameters.deviations),
    }


def _points(found: Axis, name: str) -> list[tuple[Any, ...]]:
    """(bucket, count, mean, min, max, p95) of the finite values, where they are finite themselves."""
    value = f"CAST({quoted(name)} AS DOUBLE)"
    p95 = "quantile_cont" if found.table.snapshot.rows <= MOST_EXACT_ROWS else "approx_quantile"
    figures = found.figures(
        f"count(*), avg({value}), min({value}), max({value}), {p95}({value}, 0.95)", f"isfinite({value})"
    )
    return [figure for figure in figures if all(map(isfinite, figure))]


def _trend(times: Sequence[int], means: Sequence[float]) -> dict[str, float | None] | None:
    """Its intercept is the line's value at the first bucket."""
    line = trend([(time - times[0]) / (DAY * MILLISECONDS) for time in times], means)
    return {"slope_per_day": line.slope, "intercept": line.intercept, "r2": line.r2} if line else None


def _change_points(
    times: Sequence[int], means: Sequence[float], around: Sequence[Level], deviations: float
) -> list[dict[str, float]]:
    """Of the series that the Hampel filter leaves: with the rolling median in place of outliers."""
    filtered = [
        level.median if score(mean, level) > deviations else mean for mean, level in zip(means, around, strict=True)
    ]
    return [
        {"at": times[found.place], "before": found.before, "after": found.after, "score": found.score}
        for found in change_points(filtered)
    ]
