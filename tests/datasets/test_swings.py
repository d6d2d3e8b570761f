"""The swings of a number."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from datasets.errors import Refused
from datasets.kinds.swings import SwingsKind, SwingsParameters
from tests.datasets.readings import STARTED_AT, at, milliseconds, readings
from tests.datasets.tables import make_table


def read(folder: Path, rows: list[dict[str, Any]], **parameters: Any) -> Any:
    types = {"time": "TIMESTAMP WITH TIME ZONE", "value": "DOUBLE"}
    table = make_table(folder, rows, types=types, time_column="time")
    asked = msgspec.convert(parameters, SwingsParameters)
    answer = SwingsKind().run([table], asked, lambda *_: None)
    return json.loads(json.dumps(answer, allow_nan=False))


def swinging(folder: Path, value: Callable[[int], float], count: int = 288, **parameters: Any) -> Any:
    """Of one value in each bucket of five minutes."""
    return read(folder, readings(value, range(count)), **parameters)


@pytest.mark.parametrize("period", [24, 48, 96, 144])
def test_a_wave_turns_where_it_is_highest_and_lowest(tmp_path: Path, period: int) -> None:
    answer = swinging(tmp_path, lambda number: 20 + 3 * math.sin(2 * math.pi * number / period))
    turns = [(turn["at"], turn["kind"]) for turn in answer["turning_points"]]
    expected = [
        (milliseconds(at(300 * (period // 4 + half * period // 2))), ("peak", "trough")[half % 2])
        for half in range(2 * 288 // period)
    ]
    first = expected.index(turns[0])
    assert turns == expected[first : first + len(turns)]
    assert len(turns) >= len(expected) - 2
    assert {round(turn["value"]) for turn in answer["turning_points"]} == {17, 23}
    assert answer["score"] > 80


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(lambda number: 5.0, id="constant"),
        pytest.param(lambda number: number * 0.3, id="slope"),
        pytest.param(lambda number: 9.0 * (number > 100), id="step"),
    ],
)
def test_what_goes_one_way_or_none_has_no_turns(tmp_path: Path, value: Callable[[int], float]) -> None:
    answer = swinging(tmp_path, value)
    assert (answer["turning_points"], answer["score"]) == ([], 0.0)


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_no_turns(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    answer = swinging(tmp_path, lambda _: draw.gauss(50, 4), 1000)
    assert (answer["turning_points"], answer["score"]) == ([], 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_waves_in_noise_turn_about_where_the_waves_do(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    answer = swinging(tmp_path, lambda number: math.sin(2 * math.pi * number / 200) + draw.gauss(0, 0.05), 800)
    places = [(turn["at"] - milliseconds(STARTED_AT)) / 300_000 for turn in answer["turning_points"]]
    assert places == pytest.approx([50 + 100 * half for half in range(8)], abs=15)
    assert answer["score"] > 90


def test_turns_are_scored_by_the_volatility_when_they_were_certain(tmp_path: Path) -> None:
    answer = swinging(tmp_path, lambda number: 3 * math.sin(2 * math.pi * number / 96))
    _, second, *_ = answer["turning_points"]
    kept = [volatility for _, _, _, volatility, is_kept in answer["points"] if is_kept]
    assert 6 / second["score"] in [pytest.approx(volatility) for volatility in kept]
    assert all(turn["score"] > 6 for turn in answer["turning_points"])


@pytest.mark.parametrize("seed", range(3))
def test_buckets_have_the_figures_of_pandas(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    rows = [{"time": at(draw.uniform(0, 90_000)), "value": draw.gauss(0, 3)} for _ in range(2000)]
    answer = read(tmp_path, rows)
    frame = pd.DataFrame(rows)
    groups = frame.groupby(frame["time"].dt.floor("300s"))["value"].agg(["mean", lambda some: some.var(ddof=0)])
    points = np.array([point[:3] for point in answer["points"]])
    assert list(points[:, 0]) == [milliseconds(moment) for moment in groups.index]
    assert points[:, 1:] == pytest.approx(groups.to_numpy())
    squares = np.diff(points[:, 1]) ** 2
    expected = pd.Series([squares[:20].mean(), *squares]).ewm(alpha=0.06, adjust=False).mean() ** 0.5
    assert [point[3] for point in answer["points"]] == pytest.approx(list(expected))


def test_kept_is_what_reaches_the_threshold(tmp_path: Path) -> None:
    draw = random.Random(1)
    answer = swinging(tmp_path, lambda number: draw.gauss(0, 1 if number % 100 < 50 else 9))
    thresholds = dict(answer["threshold"])
    kept = [point[4] for point in answer["points"]]
    assert kept == [point[3] >= thresholds[point[0]] for point in answer["points"]]
    assert 0.1 < sum(kept) / len(kept) < 0.9


def test_a_longer_time_has_longer_buckets_unless_they_are_named(tmp_path: Path) -> None:
    rows = [{"time": at(300 * number), "value": 1.0} for number in (0, 50_000)]
    assert read(tmp_path, rows)["bucket_seconds"] == 1800
    assert read(tmp_path, rows[:1])["bucket_seconds"] == 300
    assert read(tmp_path, rows, bucket="1h")["bucket_seconds"] == 3600
    with pytest.raises(Refused, match="at most 10,000"):
        read(tmp_path, rows, bucket="5m")


@pytest.mark.parametrize(
    "rows", [[], readings(lambda _: None, range(3)), readings(float, [0]), readings(float, [0, 1])]
)
def test_little_has_no_turns(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    answer = read(tmp_path, rows)
    assert (answer["turning_points"], answer["score"], answer["formula_version"]) == ([], 0.0, 1)
    assert len(answer["points"]) == len(answer["threshold"]) == len([row for row in rows if row["value"] is not None])


def test_parameters_are_checked(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        swinging(tmp_path, float, 9, metric="none")
    for parameters in ({"reversal": 0}, {"window": 50}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(parameters, SwingsParameters)


def test_what_rounding_does_to_means_is_no_swing(tmp_path: Path) -> None:
    draw = random.Random(3)
    rows = [{"time": at(draw.uniform(0, 300_000)), "value": 0.1} for _ in range(20_000)]
    answer = read(tmp_path, rows)
    assert len({point[1] for point in answer["points"]}) > 1
    assert not [point for point in answer["points"] if point[3]]
    assert (answer["turning_points"], answer["score"]) == ([], 0.0)
