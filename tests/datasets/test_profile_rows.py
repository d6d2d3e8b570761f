"""Rows that repeat others, columns that tell rows apart, and how near estimates come on many rows."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets import snapshot
from datasets.engine.table import Table
from tests.datasets.profiles import column, profile
from tests.datasets.tables import make_table, make_table_of, opened, write_query

FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELL = st.none() | st.integers(0, 3)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """300,000 rows: a key, a normal distribution, some of 20,000 users of whom five are half of the rows."""
    sql = (
        "SELECT n AS key, n // 2 AS pair, sqrt(-2 * ln((hash(n) % 1000003 + 1) / 1000004.0)) "
        "* cos(2 * pi() * (hash(n + 1) % 1000003) / 1000003.0) AS x, "
        "CASE WHEN hash(n + 2) % 2 = 0 THEN 'user-' || hash(n + 3) % 5 ELSE 'user-' || hash(n + 4) % 20000 END AS who "
        "FROM range(300000) AS r(n)"
    )
    return make_table_of(tmp_path_factory.mktemp("many"), sql)


@pytest.fixture(scope="module")
def profiled(many: Table) -> dict[str, Any]:
    return profile(many)


@FEW
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=50))
def test_repeated_rows_are_counted(tmp_path: Path, rows: list[tuple[int | None, int | None]]) -> None:
    table = make_table(tmp_path, [{"a": a, "b": b} for a, b in rows], types=dict.fromkeys("ab", "BIGINT"))
    assert profile(table)["duplicates"]["rows"] == len(rows) - len(set(rows))


def test_events_are_the_same_whatever_they_were_given_on_arrival(tmp_path: Path) -> None:
    folder = write_query(tmp_path, "SELECT uuid() AS id, now() AS received_at, n % 2 AS x FROM range(6) AS r(n)")
    snapshot.write(folder, msgspec.structs.replace(snapshot.read(folder), kind="events"))
    assert profile(opened(folder))["duplicates"] == {"rows": 4, "share": 4 / 6, "approximate": False}


def test_of_wide_tables_only_the_first_columns_are_compared(tmp_path: Path) -> None:
    wide = ", ".join(f"n // 2 AS x{place}" for place in range(100))
    found = profile(make_table_of(tmp_path, f"SELECT {wide}, n AS last FROM range(8) AS r(n)"))["duplicates"]
    assert found == {"rows": 4, "share": 0.5, "approximate": True}


def test_repeats_among_more_than_a_million_rows_are_estimated_near(tmp_path: Path) -> None:
    sql = "SELECT n % 800000 AS x, n AS key FROM range(1200000) AS r(n)"
    table = make_table_of(tmp_path, f"SELECT x FROM ({sql})")
    duplicates = profile(table)["duplicates"]
    assert duplicates["approximate"]
    assert duplicates["share"] == pytest.approx(1 / 3, abs=0.01)
    assert column(profile(make_table_of(tmp_path, sql)), "key")["hints"] == ["likely_key"]


def test_a_key_is_told_from_what_is_there_twice(profiled: dict[str, Any]) -> None:
    assert column(profiled, "key")["hints"] == ["unique", "likely_key"]
    assert (column(profiled, "key")["distinct"], column(profiled, "key")["distinct_approximate"]) == (300_000, False)
    assert column(profiled, "pair")["hints"] == []


def test_distinct_values_are_within_a_tenth(profiled: dict[str, Any]) -> None:
    for name, distinct in {"pair": 150_000, "who": 20_000}.items():
        found = column(profiled, name)
        assert found["distinct_approximate"]
        assert found["distinct"] == pytest.approx(distinct, rel=0.15)


def test_quantiles_of_many_rows_are_within_a_hundredth_of_the_rows(many: Table, profiled: dict[str, Any]) -> None:
    numbers = np.sort(np.array([x for (x,) in many.rows("SELECT x FROM data")]))
    found = column(profiled, "x")
    assert found["quantiles_approximate"]
    for share, value in found["quantiles"].items():
        assert np.searchsorted(numbers, value) / len(numbers) == pytest.approx(float(share), abs=0.01)
    mad = np.median(np.abs(numbers - np.median(numbers)))
    assert found["outliers"]["mad"]["high"] == pytest.approx(np.median(numbers) + 3.5 * mad / 0.6745, rel=0.02)


def test_outliers_of_many_rows_are_counted_beyond_the_fences_shown(many: Table, profiled: dict[str, Any]) -> None:
    for rule in column(profiled, "x")["outliers"].values():
        [count] = many.row("SELECT count(*) FROM data WHERE x < ? OR x > ?", [rule["low"], rule["high"]])
        assert rule["count"] == count > 0


def test_the_most_frequent_of_many_values_are_counted_exactly(many: Table, profiled: dict[str, Any]) -> None:
    counted = many.rows("SELECT who, count(*) AS n FROM data GROUP BY who ORDER BY n DESC LIMIT 5")
    assert [(one["value"], one["count"]) for one in column(profiled, "who")["top"][:5]] == counted
