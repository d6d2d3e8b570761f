"""Turning points."""

import math
import random

import pytest

from datasets.kinds.series.zigzag import turns


def places(values: list[float], distance: float) -> list[tuple[int, bool]]:
    return [(turn.place, turn.is_peak) for turn in turns(values, lambda _, way: way > distance)]


def test_a_wave_turns_where_it_is_highest_and_lowest() -> None:
    values = [math.sin(2 * math.pi * number / 40) for number in range(100)]
    assert places(values, 0.5) == [(10, True), (30, False), (50, True), (70, False), (90, True)]
    assert places([-value for value in values], 0.5)[0] == (10, False)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([1.0], []),
        ([1.0] * 20, []),
        ([1.0, 2.0, 3.0, 9.0], []),
        ([0.0, 0.4, 0.0, 0.4, 0.1, 0.5], []),
        ([0.0, 5.0, 0.0], [(1, True)]),
        ([0.0, 5.0, 5.0, 5.0, 0.0], [(1, True)]),
        ([0.0, 5.0, 4.5, 6.0, 1.0, 1.5, 0.5, 9.0], [(3, True), (6, False)]),
        ([3.0, 0.0, 5.0, 1.0], [(1, False), (2, True)]),
        ([0.0, -0.5, 0.0, 5.0, 0.0], [(3, True)]),
    ],
)
def test_small_ways_and_ends_are_no_turns(values: list[float], expected: list[tuple[int, bool]]) -> None:
    assert places(values, 1.0) == expected


@pytest.mark.parametrize("seed", range(30))
def test_turns_take_turns_and_are_extremes_between_their_neighbours(seed: int) -> None:
    draw = random.Random(seed)
    values = [0.0]
    for _ in range(300):
        values.append(values[-1] + draw.gauss(0, 1))
    distance = draw.uniform(1, 6)
    found = list(turns(values, lambda _, way: way > distance))
    for before, turn, after in zip(found, found[1:], found[2:], strict=False):
        assert before.is_peak != turn.is_peak
        between = values[before.place : after.place + 1]
        assert values[turn.place] == (max(between) if turn.is_peak else min(between))
        assert turn.size == abs(values[turn.place] - values[before.place]) > distance
        assert turn.place < turn.confirmed_at <= after.place


def test_an_extreme_is_the_right_one_also_when_it_was_confirmed_late() -> None:
    values = [0.0, 5.0, 1.0, 2.0, 2.0, 7.0, 0.0, 0.0]
    found = list(turns(values, lambda place, way: way > 1 and place in (1, 4, 5, 7)))
    assert [(turn.place, turn.confirmed_at) for turn in found] == [(1, 4), (2, 5), (5, 7)]
