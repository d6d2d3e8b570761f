"""What the process of an analysis can reach, whatever runs in it."""

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from datasets import children
from datasets.children import Limits
from datasets.engine import confinement
from tests.datasets.queries import snapshot_of

pytestmark = pytest.mark.skipif(confinement.version_of_kernel() < 3, reason="This kernel has no Landlock.")


@pytest.fixture
def where(tmp_path: Path) -> Path:
    (tmp_path / "temp").mkdir()
    return snapshot_of(tmp_path)


def outcome(where: Path, deed: str, at: object) -> Any:
    request = {
        "kind": "prying",
        "parameters": {"deed": deed, "at": str(at)},
        "folders": [str(where)],
        "modules": ["tests.datasets.prying"],
        "memory_bytes": 300 << 20,
        "threads": 2,
        "temp": str(where.parent / "temp"),
    }
    answer = children.run(
        "datasets.engine.analyse", request, Limits(30.0, 300 << 20), lambda *_: None, threading.Event()
    )
    return answer["outcome"]


def test_it_reads_its_snapshot_and_writes_where_it_may_spill(where: Path) -> None:
    assert outcome(where, "read", where / "0000.parquet") == "done"
    assert outcome(where, "write", where.parent / "temp" / "spilled") == "done"


def test_it_reads_nothing_else(where: Path) -> None:
    other = snapshot_of(where.parent, [{"secret": 42}])
    for path in (other / "0000.parquet", "/proc/self/environ", "/etc/passwd", settings.BASE_DIR / "manage.py"):
        assert outcome(where, "read", path) == "refused"
    assert outcome(where, "list", where.parent) == "refused"


@pytest.mark.parametrize("deed", ["write", "remove", "truncate"])
def test_it_changes_no_snapshot(where: Path, deed: str) -> None:
    before = (where / "0000.parquet").read_bytes()
    assert outcome(where, deed, where / "0000.parquet") == "refused"
    assert (where / "0000.parquet").read_bytes() == before


@pytest.mark.skipif(confinement.version_of_kernel() < confinement.NET_SINCE, reason="This kernel leaves TCP alone.")
def test_it_connects_to_nothing(where: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert outcome(where, "connect", server.getsockname()[1]) == "refused"
