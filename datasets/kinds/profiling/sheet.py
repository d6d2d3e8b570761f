"""The figures of a profile as JSON."""

from datetime import datetime
from typing import Any

from datasets.kinds import plain
from datasets.kinds.profiling import disguise, hints, quantiles
from datasets.kinds.profiling.field import TIME, Field
from datasets.kinds.profiling.overview import Overview
from datasets.kinds.profiling.repeats import Repeats
from datasets.kinds.profiling.spread import Beyond, Spread
from datasets.kinds.profiling.values import Values


def of_time(time: Overview | None, taken_at: datetime) -> dict[str, Any] | None:
    """Freshness is the age of the last row when the snapshot was taken."""
    if time is None:
        return None
    low, high = time.range
    return {
        "column": time.field.name,
        "first": plain.moment(time.least, time.field.type),
        "last": plain.moment(time.greatest, time.field.type),
        "span_seconds": high - low,
        "freshness_seconds": taken_at.timestamp() - high,
    }


def of_repeats(found: Repeats, rows: int) -> dict[str, Any]:
    return {"rows": round(found.share * rows), "share": found.share, "approximate": not found.exact}


def of_column(
    one: Overview,
    rows: int,
    *,
    values: Values,
    spread: Spread | None,
    repeats: Repeats | None,
    examples: list[str],
    exact: bool,
) -> dict[str, Any]:
    distinct, certain = _distinct(one, values, repeats)
    unique = distinct == one.there if repeats is None else repeats.distinct == repeats.rows
    return {
        "name": one.field.name,
        "type": one.field.type,
        "kind": one.field.kind,
        "nulls": rows - one.there,
        "null_rate": (rows - one.there) / rows if rows else 0.0,
        "empty": one.empty,
        "empty_rate": one.empty / rows if rows else 0.0,
        "distinct": distinct,
        "distinct_approximate": not certain,
        **_figures(one),
        "quantiles_approximate": one.grid is not None and not exact,
        "histogram": _histogram(one.field, spread),
        "top": values.top,
        "lengths": _lengths(one),
        "parse_failures": _failures(one, examples),
        "outliers": _outliers(spread),
        "hints": hints.of(one, rows, distinct, unique and (certain or repeats is not None), certain),
    }


def _distinct(one: Overview, values: Values, repeats: Repeats | None) -> tuple[int, bool]:
    """And whether the figure is exact."""
    if values.distinct is not None:
        return values.distinct, True
    if repeats is not None:
        return round((1 - repeats.share) * one.there), repeats.exact
    return min(one.distinct, one.there), one.there == 0


def _figures(one: Overview) -> dict[str, Any]:
    """Times are texts, and their standard deviation is in seconds."""
    type_name = one.field.type
    grid = None if one.grid is None else {name: quantiles.at(one.grid, float(name)) for name in quantiles.SHOWN}
    if one.field.kind == TIME:
        return {
            "min": plain.moment(one.least, type_name),
            "max": plain.moment(one.greatest, type_name),
            "mean": plain.instant(one.mean, type_name),
            "std": plain.number(one.std),
            "quantiles": grid and {name: plain.instant(value, type_name) for name, value in grid.items()},
        }
    return {
        "min": _extreme(one.least),
        "max": _extreme(one.greatest),
        "mean": plain.number(one.mean),
        "std": plain.number(one.std),
        "quantiles": grid and {name: plain.number(value) for name, value in grid.items()},
    }


def _extreme(value: Any) -> Any:
    return plain.cut(value) if isinstance(value, str) else plain.number(value)


def _histogram(field: Field, spread: Spread | None) -> list[dict[str, Any]]:
    def edge(value: float) -> Any:
        if field.kind == TIME:
            return plain.instant(value, field.type)
        return plain.number(int(value) if field.whole else value)

    return [
        {"from": edge(one.low), "to": edge(one.high), "count": one.count} for one in (spread.bins if spread else [])
    ]


def _lengths(one: Overview) -> dict[str, Any] | None:
    if one.shortest is None:
        return None
    return {"min": one.shortest, "max": one.longest, "mean": one.mean_length}


def _failures(one: Overview, examples: list[str]) -> dict[str, Any] | None:
    count = disguise.failures(one)
    return {"as": disguise.of(one), "count": count, "examples": examples} if count else None


def _outliers(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None or spread.iqr is None:
        return None
    return {"iqr": _beyond(spread.iqr), "mad": _beyond(spread.mad)}


def _beyond(found: Beyond | None) -> dict[str, Any] | None:
    return None if found is None else {"low": found.low, "high": found.high, "count": found.count}
