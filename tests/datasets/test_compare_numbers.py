"""PSI and Kolmogorov–Smirnov of numbers against NumPy, and against figures that tables have."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.kinds.comparing import smirnov, stability
from tests.datasets.profiles import column, run
from tests.datasets.tables import make_tables, opened_both, write_query

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.lists(st.none() | st.integers(-5, 5) | st.floats(-100, 100, allow_nan=False), min_size=1, max_size=60)
COMPARED = {"other": 2}


def compared(folder: Path, data: Sequence[Any], other: Sequence[Any], **options: Any) -> dict[str, Any]:
    types = options or {"types": {"x": "DOUBLE"}}
    tables = make_tables(folder, [{"x": one} for one in data], [{"x": one} for one in other], **types)
    return column(run("compare", tables, COMPARED), "x")


def there(values: Sequence[Any]) -> Any:
    return np.array([one for one in values if one is not None], dtype=np.float64)


def shares(values: Any, bounds: Any) -> Any:
    places = np.searchsorted(bounds, values, side="left")
    return np.maximum(np.bincount(places, minlength=len(bounds) + 1) / len(values), 0.0001)


def greatest_distance(a: Any, b: Any) -> float:
    at = np.concatenate([a, b])
    reached = [np.searchsorted(np.sort(one), at, side="right") / len(one) for one in (a, b)]
    return float(np.max(np.abs(reached[0] - reached[1])))


def are_at_bounds(values: Any, between: Any) -> bool:
    """On which side of a bound between two values another one lies, that equals it, is a matter of its last bit."""
    return bool(np.isclose(values[:, None], between, rtol=1e-9, atol=1e-12).any())


@FEW
@given(data=VALUES, other=VALUES)
def test_both_are_as_numpy_has_them(tmp_path: Path, data: list[float | None], other: list[float | None]) -> None:
    found = compared(tmp_path, data, other)
    a, b = there(data), there(other)
    assert found["null_rate"] == {"data": data.count(None) / len(data), "other": other.count(None) / len(other)}
    if not len(a) or not len(b):
        assert (found["psi"], found["psi_reading"], found["ks"], found["bins"]) == (None, None, None, [])
        return
    bounds = np.unique(np.quantile(b, np.arange(1, 10) / 10))
    assume(not are_at_bounds(np.concatenate([a, b]), bounds[~np.isin(bounds, b)]))
    if bounds[0] == b.min():
        bounds = np.concatenate([[np.nextafter(bounds[0], -np.inf)], bounds])
    p, q = shares(a, bounds), shares(b, bounds)
    assert found["psi"] == pytest.approx(np.sum((p - q) * np.log(p / q)), abs=1e-9)
    assert found["ks"]["d"] == pytest.approx(greatest_distance(a, b), abs=1e-12)
    assert 0 <= found["ks"]["p"] <= 1
    assert found["mean"] == {"data": pytest.approx(a.mean()), "other": pytest.approx(b.mean())}
    for side in ("data", "other"):
        assert sum(one[side] for one in found["bins"]) == pytest.approx(1)


@FEW
@given(values=VALUES)
def test_a_column_has_not_drifted_from_itself(tmp_path: Path, values: list[float | None]) -> None:
    found = compared(tmp_path, values, values)
    if len(there(values)):
        assert (found["psi"], found["psi_reading"]) == (0, "none")
        assert found["ks"] == {"d": 0, "p": 1}


@pytest.mark.parametrize(("x", "p"), [(0.5, 0.96394524), (1.0, 0.26999967), (1.3581, 0.05), (1.6276, 0.01), (0, 1)])
def test_the_chance_is_that_of_kolmogorovs_tables(x: float, p: float) -> None:
    assert smirnov.survival(x) == pytest.approx(p, abs=1e-5)


def test_both_series_of_kolmogorovs_distribution_meet() -> None:
    assert smirnov.survival(math.nextafter(1, 0)) == pytest.approx(smirnov.survival(1), abs=1e-12)


def test_the_index_has_the_value_of_a_sum_by_hand() -> None:
    by_hand = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert stability.index([0.6, 0.4], [0.5, 0.5]) == pytest.approx(by_hand)


@pytest.mark.parametrize(("psi", "reading"), [(0.099, "none"), (0.1, "moderate"), (0.249, "moderate"), (0.25, "large")])
def test_the_reading_of_the_index(psi: float, reading: str) -> None:
    assert stability.reading(psi) == reading


def test_an_empty_group_counts_as_a_ten_thousandth() -> None:
    expected = (1 - 0.5) * math.log(2) + (0.0001 - 0.5) * math.log(0.0001 / 0.5)
    assert stability.index([1, 0], [0.5, 0.5]) == pytest.approx(expected)


def test_what_moved_away_from_a_constant_is_seen_on_either_side(tmp_path: Path) -> None:
    below = compared(tmp_path, [4] * 50, [5] * 50)
    assert below["psi_reading"] == "large"
    assert [(one["label"], one["data"], one["other"]) for one in below["bins"]] == [("≤ 5", 1, 0), ("5", 0, 1)]
    assert compared(tmp_path, [6] * 50, [5] * 50)["bins"][-1]["label"] == "> 5"


def test_many_rows_are_sampled_and_the_distance_stays(tmp_path: Path) -> None:
    sql = "SELECT hash(n + {0}) % 1000003 / 1000003.0 + {1} AS x FROM range(600000) AS r(n)"
    data, other = (write_query(tmp_path, sql.format(*one)) for one in ((0, 0.05), (7, 0.0)))
    found = column(run("compare", opened_both(data, other), COMPARED), "x")
    assert found["ks"]["d"] == pytest.approx(0.05, abs=0.01)
    assert found["psi"] == pytest.approx((0.05 - 0.1) * math.log(0.05 / 0.1) + (0.15 - 0.1) * math.log(1.5), rel=0.1)
