"""Results of analyses, small ones, of the shapes that the kinds give."""

import math
from typing import Any

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000  # 2026-01-01
BAD = "<img src=x onerror=window.broken=1>"


def column(name: str, kind: str = "number", **more: Any) -> dict[str, Any]:
    """Of a profile of 1,000 rows."""
    plain = {
        "name": name,
        "type": {"number": "DOUBLE", "time": "TIMESTAMP WITH TIME ZONE", "boolean": "BOOLEAN"}.get(kind, "VARCHAR"),
        "kind": kind,
        "nulls": 0,
        "null_rate": 0.0,
        "empty": 0,
        "empty_rate": 0.0,
        "distinct": 900,
        "distinct_approximate": True,
        "min": None,
        "max": None,
        "mean": None,
        "std": None,
        "quantiles": None,
        "histogram": [],
        "top": [],
        "lengths": None,
        "parse_failures": None,
        "outliers": None,
        "hints": [],
    }
    return {**plain, **more}


NUMBER = column(
    "payload.temperature",
    nulls=50,
    null_rate=0.05,
    min=-3.25,
    max=41.5,
    mean=20.123456,
    std=4.5,
    quantiles={"0.01": 8.0, "0.05": 12.0, "0.25": 17.0, "0.5": 20.0, "0.75": 23.0, "0.95": 28.0, "0.99": 32.0},
    histogram=[
        {"from": -4.0 + n * 2, "to": -2.0 + n * 2, "count": round(180 * math.exp(-(((n - 12) / 4) ** 2)))}
        for n in range(24)
    ],
    outliers={"iqr": {"low": 8.0, "high": 32.0, "count": 14}, "mad": {"low": 5.5, "high": 34.5, "count": 6}},
)
TIME = column(
    "received_at",
    "time",
    min="2026-01-01T00:00:00Z",
    max="2026-01-02T00:00:00Z",
    histogram=[
        {"from": f"2026-01-01T{n:02}:00:00Z", "to": f"2026-01-01T{n + 1:02}:00:00Z", "count": 40 + n} for n in range(23)
    ],
    hints=["likely_time"],
)
TEXT = column(
    "payload.site",
    "text",
    empty=3,
    empty_rate=0.003,
    distinct=3,
    top=[{"value": "oslo", "count": 700}, {"value": BAD, "count": 200}, {"value": "", "count": 3}],
    lengths={"min": 0, "max": 34, "mean": 6.2},
    parse_failures={"as": "number", "count": 2, "examples": ["n/a", BAD]},
)
PROFILE = {
    "rows": 1000,
    "bytes": 52_000,
    "time": {
        "column": "received_at",
        "first": "2026-01-01T00:00:00Z",
        "last": "2026-01-02T00:00:00Z",
        "span_seconds": 86_400.0,
        "freshness_seconds": 90.0,
    },
    "duplicates": {"rows": 4, "share": 0.004, "approximate": False},
    "columns": [
        TIME,
        NUMBER,
        column("payload.humidity", nulls=1000, null_rate=1.0, hints=["constant"]),
        column(BAD, "boolean", top=[{"value": True, "count": 990}, {"value": False, "count": 10}], distinct=2),
        TEXT,
    ],
    "correlations": [{"a": "payload.temperature", "b": "payload.humidity", "pearson": -0.873, "n": 950}],
    "missing": {
        "columns": ["payload.temperature", "payload.site", BAD],
        "buckets": [{"from": f"2026-01-01T{n:02}:00:00Z", "rate": [n / 40, 0.0, 0.001]} for n in range(24)],
    },
}


def _reading(hour: int) -> float:
    return round(20 + 4 * math.sin(hour / 4) + (6 if hour > 50 else 0), 3)


POINTS = [
    [START_MS + n * HOUR_MS, 60, _reading(n), _reading(n) - 1.5, _reading(n) + 2, _reading(n) + 1.4]
    for n in range(96)
    if not 20 <= n < 26
]
TIMESERIES = {
    "time_column": "received_at",
    "bucket_seconds": 3600,
    "metrics": [
        {
            "column": name,
            "points": POINTS,
            "rolling_median": [[point[0], point[2] - 0.4] for point in POINTS],
            "outliers": [[POINTS[10][0], POINTS[10][2], 4.2], [POINTS[70][0], POINTS[70][2], -3.9]],
            "trend": {"slope_per_day": 1.52, "intercept": 19.1, "r2": 0.41},
            "change_points": [{"at": START_MS + 51 * HOUR_MS, "before": 20.1, "after": 26.2, "score": 9.7}],
        }
        for name in ("payload.temperature", BAD)
    ],
    "gaps": [{"from": START_MS + 20 * HOUR_MS, "to": START_MS + 26 * HOUR_MS, "seconds": 21_600}],
}
SWINGS = {
    "metric": BAD,
    "bucket_seconds": 300,
    "points": [
        [START_MS + n * 300_000, _reading(n), 0.5 + n % 7 / 10, 0.2 + abs(math.sin(n / 6)), abs(math.sin(n / 6)) > 0.5]
        for n in range(96)
    ],
    "threshold": [[START_MS + n * 300_000, 0.7] for n in range(96)],
    "turning_points": [
        {"at": START_MS + 6 * 300_000, "value": _reading(6), "kind": "peak", "score": 3.1},
        {"at": START_MS + 19 * 300_000, "value": _reading(19), "kind": "trough", "score": 2.7},
    ],
    "score": 61.2,
    "formula_version": 1,
}
COMPARE = {
    "rows": {"data": 1000, "other": 1200},
    "schema": {
        "added": [{"name": BAD, "type": "DOUBLE"}],
        "removed": [{"name": "payload.old", "type": "BIGINT"}],
        "changed": [{"name": "payload.site", "data": "VARCHAR", "other": "BIGINT"}],
    },
    "columns": [
        {
            "name": name,
            "kind": "number",
            "psi": psi,
            "psi_reading": reading,
            "ks": {"d": 0.21, "p": 0.00012},
            "null_rate": {"data": 0.05, "other": 0.0},
            "mean": {"data": 20.1, "other": 24.9},
            "bins": [{"label": f"{n}–{n + 1}", "data": 0.1 + n / 100, "other": 0.145 - n / 100} for n in range(10)],
        }
        for name, psi, reading in [("payload.humidity", 0.01, "none"), (BAD, 0.41, "large"), ("x", 0.14, "moderate")]
    ],
}
QUERY = {
    "columns": [{"name": "site", "type": "VARCHAR"}, {"name": BAD, "type": "BIGINT"}],
    "rows": [["oslo", 700], [BAD, 200], [None, 3], [{"a": [1]}, 4.5]],
    "row_count": 4,
    "truncated": False,
}
SCHEMA = {
    "rows": 1000,
    "columns": [{"name": BAD, "type": "DOUBLE"}, {"name": "key", "type": "VARCHAR"}],
    "sample": [[1.5, BAD], [None, "k2"]],
}
DATA: dict[str, Any] = {
    "profile": PROFILE,
    "timeseries": TIMESERIES,
    "swings": SWINGS,
    "compare": COMPARE,
    "query": QUERY,
    "schema": SCHEMA,
    "spread": {"low": BAD, "high": 2},
}
