"""A table held in memory: how old it may be, and what happens while the database is away."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError

from access.errors import DirectoryUnavailable
from access.snapshot import Snapshot


class Table:
    """Stands where the database is: it can change, and be away."""

    def __init__(self, **rows: int) -> None:
        self.rows = rows
        self.away = False
        self.loads = 0

    def load(self) -> dict[str, int]:
        self.loads += 1
        if self.away:
            raise OperationalError("away")
        return dict(self.rows)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time of snapshots on by some seconds."""
    now = [1000.0]
    monkeypatch.setattr("access.snapshot.time.monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def snapshot_of(table: Table, max_age_seconds: float = 10) -> Snapshot[int]:
    return Snapshot(table.load, lambda: max_age_seconds)


async def test_a_young_copy_costs_no_reading(clock: Callable[[float], None]) -> None:
    table = Table(a=1)
    snapshot = snapshot_of(table)
    assert [await snapshot.aget("a") for _ in range(100)] == [1] * 100
    assert table.loads == 1


async def test_a_change_is_seen_when_the_copy_is_too_old(clock: Callable[[float], None]) -> None:
    table = Table(a=1)
    snapshot = snapshot_of(table)
    await snapshot.aget("a")
    table.rows = {}
    clock(4)
    assert await snapshot.aget("a") == 1
    clock(7)
    assert await snapshot.aget("a") is None


async def test_an_ageing_copy_is_renewed_behind_the_callers_back(clock: Callable[[float], None]) -> None:
    table = Table(a=1)
    snapshot = snapshot_of(table)
    await snapshot.aget("a")
    table.rows["a"] = 2
    clock(6)
    assert await snapshot.aget("a") == 1
    await snapshot.arefresh()
    assert await snapshot.aget("a") == 2


async def test_many_who_ask_at_once_share_one_reading() -> None:
    table = Table(a=1)
    snapshot = snapshot_of(table)
    await asyncio.gather(*(snapshot.aget("a") for _ in range(50)))
    assert table.loads == 1


async def test_while_the_database_is_away_the_last_copy_serves(
    clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    table = Table(a=1)
    snapshot = snapshot_of(table)
    await snapshot.aget("a")
    table.away = True
    clock(3600)
    assert await snapshot.aget("a") == 1
    assert "served from memory" in caplog.text


async def test_a_database_that_hangs_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(a=1)
    snapshot = snapshot_of(table, max_age_seconds=0.05)
    await snapshot.aget("a")
    released = threading.Event()
    monkeypatch.setattr(snapshot, "_load", lambda: released.wait(10) and table.load())
    monkeypatch.setattr("access.snapshot.PATIENCE_SECONDS", 0.1)
    await asyncio.sleep(0.1)
    started = time.monotonic()
    for _ in range(20):
        assert await snapshot.aget("a") == 1
    assert time.monotonic() - started < 0.5
    table.rows["a"] = 2
    released.set()
    await snapshot.arefresh()
    assert await snapshot.aget("a") == 2


async def test_without_a_first_copy_there_is_no_answer() -> None:
    table = Table(a=1)
    table.away = True
    with pytest.raises(DirectoryUnavailable):
        await snapshot_of(table).aget("a")


def test_synchronous_code_reads_the_table_for_a_missing_name() -> None:
    table = Table(a=1)
    snapshot = snapshot_of(table)
    assert snapshot.find("b") is None
    table.rows["b"] = 2
    assert snapshot.find("b") == 2
