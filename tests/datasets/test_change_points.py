"""Changes of level: found where they are, and not in noise, slopes and waves."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest

from datasets.kinds.series.change_points import MOST, change_points
from datasets.kinds.series.segmentation import Segmentation


def noisy(level: Callable[[int], float], seed: int, count: int = 400) -> list[float]:
    draw = random.Random(seed)
    return [level(number) + draw.gauss(0, 1) for number in range(count)]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("size", [5, -8, 100])
def test_a_step_is_one_change_within_one_value(seed: int, size: float) -> None:
    values = noisy(lambda number: size * (number >= 170), seed)
    [found] = change_points(values)
    assert abs(found.place - 170) <= 1
    assert found.before == pytest.approx(np.mean(values[: found.place]))
    assert found.after == pytest.approx(np.mean(values[found.place :]))
    assert found.score > 10


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "level",
    [
        pytest.param(lambda number: 0.0, id="noise"),
        pytest.param(lambda number: number / 20, id="slope"),
        pytest.param(lambda number: 5 * math.sin(math.pi * number / 400), id="wave"),
    ],
)
def test_nothing_changes_at_once(level: Callable[[int], float], seed: int) -> None:
    assert change_points(noisy(level, seed)) == []


@pytest.mark.parametrize("seed", range(5))
def test_several_steps_are_several_changes(seed: int) -> None:
    found = change_points(noisy(lambda number: (0.0, 6.0, -3.0, 3.0)[number // 100], seed))
    assert [round(change.place / 100) for change in found] == [1, 2, 3]
    assert max(abs(change.place % 100 - 100 * (change.place % 100 > 50)) for change in found) <= 2


def test_steps_without_noise_are_found_and_constants_have_none() -> None:
    [found] = change_points([0.0] * 50 + [10.0] * 50)
    assert (found.place, found.before, found.after) == (50, 0.0, 10.0)
    assert change_points([3.0] * 100) == change_points([]) == change_points([1.0, 9.0, 1.0]) == []
    assert change_points([float(number) for number in range(100)]) == []


def test_a_shift_and_a_scale_change_no_place() -> None:
    values = noisy(lambda number: 4.0 * (number >= 250), 3)
    places = [change.place for change in change_points(values)]
    assert places == [change.place for change in change_points([1e9 + 1e3 * value for value in values])]


def test_there_are_at_most_so_many() -> None:
    found = change_points(noisy(lambda number: 20.0 * (number // 40 % 2), 1, 4000))
    assert len(found) == MOST
    assert [change.place for change in found] == sorted(change.place for change in found)


@pytest.mark.parametrize("seed", range(5))
def test_the_gain_of_a_cut_is_what_numpy_says(seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 3, 60)

    def squares(some: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
        return float(((some - some.mean()) ** 2).sum())

    expected = squares(values[10:50]) - squares(values[10:23]) - squares(values[23:50])
    assert Segmentation(list(values)).gain(10, 23, 50) == pytest.approx(expected)
