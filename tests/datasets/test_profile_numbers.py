"""The figures of numeric columns are those that NumPy has, as long as they are to be exact."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.datasets.profiles import column, profile
from tests.datasets.tables import make_table

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FLOATS = st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, 1.5, -1.5, math.inf, -math.inf, math.nan])
INTEGERS = st.integers(-50, 50) | st.integers(-(2**53), 2**53)


def finite(values: list[Any]) -> Any:
    return np.array([value for value in values if value is not None and math.isfinite(value)], dtype=np.float64)


def modified_z(numbers: Any) -> Any:
    middle = np.median(numbers)
    return 0.6745 * (numbers - middle) / np.median(np.abs(numbers - middle))


@FEW
@given(values=st.lists(st.none() | FLOATS, min_size=1, max_size=60))
def test_moments_and_quantiles_are_those_of_finite_values(tmp_path: Path, values: list[float | None]) -> None:
    found = column(profile(make_table(tmp_path, [{"x": one} for one in values], types={"x": "DOUBLE"})), "x")
    numbers = finite(values)
    assert found["nulls"] == sum(one is None for one in values)
    if not len(numbers):
        assert found["min"] is found["mean"] is found["std"] is None
        assert found["histogram"] == []
        return
    assert (found["min"], found["max"]) == (numbers.min(), numbers.max())
    assert found["mean"] == pytest.approx(numbers.mean(), rel=1e-9, abs=1e-6)
    if len(numbers) > 1:
        assert found["std"] == pytest.approx(numbers.std(ddof=1), rel=1e-6, abs=1e-6)
    for share, value in found["quantiles"].items():
        assert value == pytest.approx(np.quantile(numbers, float(share)), rel=1e-9, abs=1e-9)
    assert not found["quantiles_approximate"]


@FEW
@given(values=st.lists(FLOATS, min_size=1, max_size=60))
def test_the_histogram_has_every_finite_value_once(tmp_path: Path, values: list[float]) -> None:
    bins = column(profile(make_table(tmp_path, [{"x": one} for one in values])), "x")["histogram"]
    numbers = finite(values)
    assert len(bins) <= 30
    assert sum(one["count"] for one in bins) == len(numbers)
    if len(bins) > 1:
        edges = [one["from"] for one in bins] + [bins[-1]["to"]]
        assert [one["count"] for one in bins] == np.histogram(numbers, edges)[0].tolist()


@FEW
@given(values=st.lists(INTEGERS, min_size=1, max_size=60))
def test_whole_numbers_have_bins_of_whole_width(tmp_path: Path, values: list[int]) -> None:
    found = column(profile(make_table(tmp_path, [{"x": one} for one in values])), "x")
    bins = found["histogram"]
    assert (found["min"], found["max"]) == (min(values), max(values))
    assert len(bins) <= 30
    assert sum(one["count"] for one in bins) == len(values)
    for one in bins[:-1]:
        assert one["count"] == sum(one["from"] <= value < one["to"] for value in values)


@FEW
@given(values=st.lists(st.integers(-20, 20) | st.integers(-1000, 1000), min_size=4, max_size=60))
def test_outliers_are_counted_by_both_rules(tmp_path: Path, values: list[int]) -> None:
    outliers = column(profile(make_table(tmp_path, [{"x": one} for one in values])), "x")["outliers"]
    numbers = finite(values)
    first, third = np.quantile(numbers, [0.25, 0.75])
    if first == third:
        assert outliers is None
        return
    margin = 1.5 * (third - first)
    assert outliers["iqr"]["count"] == np.sum((numbers < first - margin) | (numbers > third + margin))
    if np.median(np.abs(numbers - np.median(numbers))) == 0:
        assert outliers["mad"] is None
    else:
        far = np.abs(modified_z(numbers))
        assert np.sum(far > 3.5 + 1e-9) <= outliers["mad"]["count"] <= np.sum(far > 3.5 - 1e-9)


@FEW
@given(rows=st.lists(st.tuples(*[st.none() | st.integers(-9, 9)] * 3), min_size=2, max_size=60))
def test_correlations_are_pearsons_of_the_rows_that_have_both(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    types = dict.fromkeys("abc", "BIGINT")
    result = profile(make_table(tmp_path, [dict(zip("abc", row, strict=True)) for row in rows], types=types))
    found = {one["a"] + one["b"]: one for one in result["correlations"]}
    for pair, (i, j) in {"ab": (0, 1), "ac": (0, 2), "bc": (1, 2)}.items():
        both = np.array([(row[i], row[j]) for row in rows if row[i] is not None and row[j] is not None], float)
        if len(both) < 2 or not all(both.std(axis=0)):
            assert pair not in found
        else:
            assert found[pair]["pearson"] == pytest.approx(np.corrcoef(both.T)[0, 1], abs=1e-9)
            assert found[pair]["n"] == len(both)


def test_no_more_than_twenty_columns_are_correlated(tmp_path: Path) -> None:
    rows = [{f"c{place}": (n * (place + 3)) % 29 for place in range(25)} for n in range(40)]
    found = profile(make_table(tmp_path, rows))["correlations"]
    assert {name for one in found for name in (one["a"], one["b"])} == {f"c{place}" for place in range(20)}
    assert len(found) == 190
