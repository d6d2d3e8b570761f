"""SQL in the process that it runs in: its limits end it, and the kernel keeps it in."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from datasets import children
from datasets.children import Limits
from datasets.errors import MemoryLimitExceeded, Refused, TimeLimitExceeded
from tests.datasets.queries import snapshot_of

AMPLE = Limits(30.0, 400 << 20)


def ask(where: Path, sql: str, limits: Limits = AMPLE) -> Any:
    temp = where.parent / "temp"
    temp.mkdir(exist_ok=True)
    request = {
        "kind": "query",
        "parameters": {"sql": sql},
        "folders": [str(where)],
        "modules": [],
        "memory_bytes": limits.memory_bytes,
        "threads": settings.ANALYSIS_THREADS,
        "temp": str(temp),
    }
    return children.run("datasets.engine.analyse", request, limits, lambda *_: None, threading.Event())


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return snapshot_of(tmp_path)


def test_it_answers(where: Path) -> None:
    answer = ask(where, "SELECT payload.device, sum(payload.temperature) FROM data GROUP BY ALL ORDER BY 1")
    assert answer["rows"] == [["d0", 9.0], ["d1", 11.0], ["d2", 13.0]]


def test_its_errors_are_told(where: Path) -> None:
    with pytest.raises(Refused, match="COPY is not taken"):
        ask(where, "WITH a AS (COPY data TO '/dev/null') FROM a")
    with pytest.raises(Refused, match="Could not convert string 'reading' to INT32"):
        ask(where, "SELECT type::INT FROM data")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 1000000000)",
        "SELECT list(range) FROM range(1000000000)",
        "SELECT string_agg(repeat('x', 100000), '') FROM range(100000)",
    ],
)
def test_too_much_memory_ends_it(where: Path, sql: str) -> None:
    with pytest.raises(MemoryLimitExceeded):
        ask(where, sql, Limits(60.0, 250 << 20))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT (n + 1) % 1000 FROM t) SELECT max(n) FROM t",
    ],
)
def test_too_much_time_ends_it(where: Path, sql: str) -> None:
    with pytest.raises((TimeLimitExceeded, MemoryLimitExceeded)):
        ask(where, sql, Limits(1.2, 400 << 20))
