"""Comparing two datasets, or two stretches of time of one."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.errors import Refused
from datasets.kinds.compare import CompareParameters
from tests.datasets.profiles import column, run
from tests.datasets.tables import make_table, make_tables

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.lists(st.none() | st.sampled_from(["a", "b", "c", "", "it's"]), min_size=1, max_size=60)
COMPARED = {"other": 2}
START = datetime(2026, 1, 1, tzinfo=UTC)


def window(first: int, last: int) -> dict[str, str]:
    """Hours of the day."""
    return {"starts_at": f"2026-01-01T{first:02}:00:00Z", "ends_at": f"2026-01-01T{last:02}:00:00Z"}


def hours(folder: Path, **options: Any) -> Any:
    rows = [{"time": START + timedelta(hours=hour), "x": hour} for hour in range(24)]
    return make_table(folder, rows, time_column="time", **options)


@FEW
@given(data=WORDS, other=WORDS)
def test_shares_of_texts_are_compared(tmp_path: Path, data: list[str | None], other: list[str | None]) -> None:
    rows = [[{"x": word} for word in words] for words in (data, other)]
    found = column(run("compare", make_tables(tmp_path, *rows, types={"x": "VARCHAR"}), COMPARED), "x")
    counts = [Counter(word for word in words if word is not None) for words in (data, other)]
    if not all(counts):
        assert found["psi"] is None
        return
    parts = [{word: n / one.total() for word, n in one.items()} for one in counts]
    assert {one["label"]: (one["data"], one["other"]) for one in found["bins"]} == {
        word: (parts[0].get(word, 0), parts[1].get(word, 0)) for word in {*parts[0], *parts[1]}
    }
    pairs = [(max(one["data"], 0.0001), max(one["other"], 0.0001)) for one in found["bins"]]
    assert found["psi"] == pytest.approx(sum((p - q) * math.log(p / q) for p, q in pairs))


def test_rare_texts_are_one_group(tmp_path: Path) -> None:
    data = [{"x": f"word {n % 40}"} for n in range(80)] + [{"x": "often"}] * 20
    other = [{"x": f"word {n % 50}"} for n in range(100)]
    bins = column(run("compare", make_tables(tmp_path, data, other), COMPARED), "x")["bins"]
    assert (len(bins), bins[0]) == (21, {"label": "often", "data": 0.2, "other": 0})
    assert bins[-1] == {"label": "all others", "data": pytest.approx(0.42), "other": pytest.approx(0.62)}


def test_long_texts_are_told_by_their_first_characters(tmp_path: Path) -> None:
    data, other = ([{"x": "y" * 300 + end}] * 4 for end in "ab")
    assert column(run("compare", make_tables(tmp_path, data, other), COMPARED), "x")["psi"] == 0


def test_schemas_are_compared(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, [{"same": 1, "new": 1.5, "kind": 1}], [{"same": 2, "old": "a", "kind": "b"}])
    result = run("compare", tables, COMPARED)
    assert result["rows"] == {"data": 1, "other": 1}
    assert result["schema"] == {
        "added": [{"name": "new", "type": "DOUBLE"}],
        "removed": [{"name": "old", "type": "VARCHAR"}],
        "changed": [{"name": "kind", "data": "BIGINT", "other": "VARCHAR"}],
    }
    assert [one["name"] for one in result["columns"]] == ["same", "kind"]
    assert (column(result, "kind")["psi"], column(result, "kind")["mean"]) == (None, None)


def test_numbers_of_two_types_are_compared(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, [{"x": 1}, {"x": 2}], [{"x": 1.0}, {"x": 2.0}])
    assert column(run("compare", tables, COMPARED), "x")["psi"] == 0


def test_two_windows_of_one_dataset(tmp_path: Path) -> None:
    result = run("compare", [hours(tmp_path)], {"window": window(12, 18), "other_window": window(0, 8)})
    assert result["rows"] == {"data": 6, "other": 8}
    assert column(result, "x")["mean"] == {"data": 14.5, "other": 3.5}
    assert column(result, "x")["ks"]["d"] == 1
    assert column(result, "time")["psi"] is None


def test_windows_of_two_datasets_may_be_open(tmp_path: Path) -> None:
    rows = [{"time": START + timedelta(hours=hour), "x": hour} for hour in range(24)]
    tables = make_tables(tmp_path, rows, rows, time_column="time")
    parameters = {"other": 2, "window": {"starts_at": "2026-01-01T22:00:00+01:00"}}
    assert run("compare", tables, parameters)["rows"] == {"data": 3, "other": 24}


@pytest.mark.parametrize("kind", ["TIMESTAMP", "DATE"])
def test_times_without_a_zone_are_taken_for_utc(tmp_path: Path, kind: str) -> None:
    table = make_table(tmp_path, [{"t": "2026-01-01"}, {"t": "2026-01-02"}], types={"t": kind}, time_column="t")
    parameters = {"window": {"starts_at": "2026-01-01T12:00:00Z"}, "other_window": {"ends_at": "2026-01-02T00:00:00Z"}}
    assert run("compare", [table], parameters)["rows"] == {"data": 1, "other": 1}


def test_an_empty_side_leaves_nothing_to_compare(tmp_path: Path) -> None:
    empty = {"ends_at": "2026-01-01T00:00:00Z"}
    result = run("compare", [hours(tmp_path)], {"window": window(12, 18), "other_window": empty})
    assert result["rows"] == {"data": 6, "other": 0}
    assert column(result, "x")["psi"] is column(result, "x")["ks"] is None


def test_a_window_needs_a_column_of_time(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no column that time goes by"):
        run("compare", [make_table(tmp_path, [{"x": 1}])], {"window": window(0, 1), "other_window": window(1, 2)})


def test_only_columns_that_both_have(tmp_path: Path) -> None:
    tables = make_tables(tmp_path, [{"a": 1, "b": 1}], [{"a": 1, "c": 1}])
    assert [one["name"] for one in run("compare", tables, COMPARED | {"columns": ["a"]})["columns"]] == ["a"]
    with pytest.raises(Refused, match="no column 'b' on both sides"):
        run("compare", tables, COMPARED | {"columns": ["b"]})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "Name another dataset as other, or two windows"),
        ({"window": window(0, 1)}, "Name another dataset as other, or two windows"),
        ({"other": 2, "window": window(2, 1)}, "ends_at is not after starts_at"),
        ({"other": 2, "window": {"starts_at": "2026-01-01T00:00:00"}}, "timezone"),
    ],
)
def test_parameters_that_make_no_sense(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(parameters, CompareParameters)


def test_parameters_are_described() -> None:
    described = msgspec.json.schema(CompareParameters)["$defs"]["CompareParameters"]["properties"]
    assert all(one["description"] for one in described.values())
