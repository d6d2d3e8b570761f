"""Profile and comparison in the process that they run in, with its limits and walls."""

import threading
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets import children
from datasets.children import Limits
from tests.datasets.tables import write_query

LIMITS = Limits(60.0, 900 << 20)
SQL = (
    "SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(n) AS time, n AS seq, 'd' || n % 50 AS device, "
    "sin(n) AS x FROM range(500000) AS r(n)"
)


def analysed(folder: Path, kind: str, parameters: dict[str, Any], told: list[str]) -> dict[str, Any]:
    temp = folder / "temp"
    temp.mkdir()
    request = {
        "kind": kind,
        "parameters": parameters,
        "folders": [str(write_query(folder, SQL, time_column="time"))],
        "modules": [],
        "memory_bytes": LIMITS.memory_bytes,
        "threads": settings.ANALYSIS_THREADS,
        "temp": str(temp),
    }
    result: dict[str, Any] = children.run(
        "datasets.engine.analyse", request, LIMITS, lambda share, step: told.append(step), threading.Event()
    )
    return result


def test_a_profile_tells_of_its_progress(tmp_path: Path) -> None:
    told: list[str] = []
    result = analysed(tmp_path, "profile", {}, told)
    assert result["rows"] == 500_000
    assert told[0] == "Range and quantiles, 0 of 4 columns done"


def test_two_windows_are_compared(tmp_path: Path) -> None:
    windows = {"window": {"starts_at": "2026-01-02T00:00:00Z"}, "other_window": {"ends_at": "2026-01-02T00:00:00Z"}}
    result = analysed(tmp_path, "compare", windows, [])
    assert result["rows"] == {"data": 413_600, "other": 86_400}
