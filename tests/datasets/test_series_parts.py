"""Rolling medians, outliers, trend and gaps, against NumPy and pandas."""

import random
from collections.abc import Sequence

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from datasets.kinds.series.gaps import MOST, Gap, gaps
from datasets.kinds.series.polyline import explained
from datasets.kinds.series.rolling import levels, score
from datasets.kinds.series.trend import trend
from datasets.kinds.series.volatility import thresholds, volatility


def holey(seed: int, most: int = 200) -> tuple[list[float], list[int]]:
    """Values at some places."""
    draw = random.Random(seed)
    places = sorted(draw.sample(range(most), draw.randrange(1, most)))
    return [draw.choice((draw.gauss(0, 1), 5.0, draw.randrange(3) * 1.0)) for _ in places], places


def reindexed(values: Sequence[float], places: Sequence[int]) -> "pd.Series[float]":
    return pd.Series(values, index=places, dtype=float).reindex(range(places[0], places[-1] + 1))


@pytest.mark.parametrize("window", [3, 11, 49])
@pytest.mark.parametrize("seed", range(5))
def test_medians_are_those_of_pandas(window: int, seed: int) -> None:
    values, places = holey(seed)
    expected = reindexed(values, places).rolling(window, center=True, min_periods=1).median()[places]
    assert [level.median for level in levels(values, places, window)] == pytest.approx(list(expected))


@pytest.mark.parametrize("seed", range(5))
def test_deviations_are_those_of_numpy(seed: int) -> None:
    values, places = holey(seed)
    for index, level in enumerate(levels(values, places, 11)):
        near = np.array([value for value, place in zip(values, places, strict=True) if abs(place - places[index]) <= 5])
        off = np.abs(near - np.median(near))
        assert level.mad == pytest.approx(np.median(off))
        assert level.scale == pytest.approx(1.4826 * np.median(off) or 1.2533 * np.mean(off))


def test_a_spike_stands_out_even_of_what_never_changes() -> None:
    values = [4.0] * 20 + [9.0] + [4.0] * 20
    scores = [score(value, level) for value, level in zip(values, levels(values, range(41), 11), strict=True)]
    assert scores[20] > 3
    assert [one for one in scores if one] == [scores[20]]


def test_a_step_has_no_outliers() -> None:
    values = [random.Random(number).gauss(0, 1) + (50 if number >= 30 else 0) for number in range(60)]
    found = levels(values, range(60), 11)
    assert max(score(value, level) for value, level in zip(values, found, strict=True)) < 6


@pytest.mark.parametrize("seed", range(5))
def test_the_line_is_that_of_numpy(seed: int) -> None:
    draw = np.random.default_rng(seed)
    times = np.sort(draw.uniform(0, 100, 50))
    values = 1e6 + 3 * times + draw.normal(0, 20, 50)
    found = trend(list(times), list(values))
    slope, intercept = np.polyfit(times, values, 1)
    assert found is not None
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept))
    assert found.r2 == pytest.approx(np.corrcoef(times, values)[0, 1] ** 2)


def test_a_line_wants_three_values_and_constants_have_no_r2() -> None:
    assert trend([0.0, 1.0], [1.0, 2.0]) is None
    assert trend([0.0, 1.0, 2.0], [7.0, 7.0, 7.0]) == (0.0, 7.0, None)
    assert trend([0.0, 1.0, 2.0], [1.0, 2.0, 3.0]) == pytest.approx((1.0, 1.0, 1.0))


def test_where_all_buckets_have_rows_each_empty_one_is_a_gap() -> None:
    assert gaps([*range(50), 51, *range(60, 100)], 0, 99) == [Gap(50, 51), Gap(52, 60)]


def test_where_rows_are_rare_only_long_stretches_are_gaps() -> None:
    draw = random.Random(5)
    rare = sorted(draw.sample(range(1000), 300))
    found = gaps([*rare, *(place + 1200 for place in rare)], 0, 2200)
    assert max(found, key=lambda gap: gap.length) == Gap(rare[-1] + 1, rare[0] + 1200)
    assert len(gaps(rare, 0, 999)) <= 4


def test_rows_that_begin_late_or_end_early_leave_gaps() -> None:
    assert gaps(list(range(10, 90)), 0, 99) == [Gap(0, 10), Gap(90, 100)]
    assert gaps(list(range(10, 90)), 10, 89) == []
    assert gaps([], 0, 99) == gaps([5], 5, 5) == []


def test_of_very_many_gaps_the_longest_are_told() -> None:
    regular = list(range(10_000))
    holes = [place for place in regular if place % 40 or place % 80 == 0]
    found = gaps([*holes, 10_100], 0, 10_100)
    assert len(found) == MOST
    assert found[-1] == Gap(10_000, 10_100)


@pytest.mark.parametrize("seed", range(3))
def test_volatility_is_the_weighted_mean_of_pandas(seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 1, 300).cumsum()
    squares = np.diff(values) ** 2
    expected = pd.Series([squares[:20].mean(), *squares]).ewm(alpha=0.06, adjust=False).mean() ** 0.5
    assert volatility(list(values)) == pytest.approx(list(expected))
    rolling = expected.rolling(49, center=True, min_periods=1)
    mad = rolling.apply(lambda window: np.median(np.abs(window - np.median(window))), raw=True)
    found = thresholds(volatility(list(values)), range(300), 49, 0.5)
    assert found == pytest.approx(list(rolling.median() + 0.5 * 1.4826 * mad))


def test_one_value_and_none_have_no_volatility() -> None:
    assert volatility([]) == []
    assert volatility([3.0]) == [0.0]


def test_lines_explain_what_numpy_says_they_do() -> None:
    draw = np.random.default_rng(2)
    places = np.sort(draw.choice(1000, 80, replace=False))
    values = draw.normal(0, 1, 80).cumsum()
    knots = [0, 13, 14, 50, 79]
    line = np.interp(places, places[knots], values[knots])
    expected = 1 - ((values - line) ** 2).sum() / ((values - values.mean()) ** 2).sum()
    assert explained(list(values), list(places), knots) == pytest.approx(max(0.0, expected))
    assert explained([5.0, 5.0, 5.0], [0, 1, 2], [0, 2]) == 0.0
