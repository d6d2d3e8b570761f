"""Numbers over time."""

import json
import math
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from datasets.engine.table import Table
from datasets.errors import Refused
from datasets.kinds.timeseries import TimeseriesKind, TimeseriesParameters
from tests.datasets.readings import STARTED_AT, at, milliseconds, readings
from tests.datasets.tables import make_table


def analysed(table: Table, **parameters: Any) -> Any:
    asked = msgspec.convert(parameters, TimeseriesParameters)
    answer = TimeseriesKind().run([table], asked, lambda *_: None)
    return json.loads(json.dumps(answer, allow_nan=False))


def made(folder: Path, rows: Sequence[Mapping[str, Any]], **options: Any) -> Table:
    return make_table(folder, rows, **{"time_column": "time", **options})


@pytest.mark.parametrize("seed", range(4))
def test_buckets_have_the_figures_of_pandas(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    rows = [{"time": at(draw.uniform(-9e5, 9e5)), "value": draw.choice((draw.gauss(0, 9), None))} for _ in range(800)]
    answer = analysed(made(tmp_path, rows), bucket="6h")
    frame = pd.DataFrame(rows).dropna()
    groups = frame.groupby(frame["time"].dt.floor("6h"))["value"]
    expected = groups.agg(["count", "mean", "min", "max", lambda values: np.quantile(values, 0.95)])
    [metric] = answer["metrics"]
    assert [point[0] for point in metric["points"]] == [milliseconds(moment) for moment in expected.index]
    assert np.array([point[1:] for point in metric["points"]]) == pytest.approx(expected.to_numpy())
    assert answer["bucket_seconds"] == 6 * 3600


@pytest.mark.parametrize(
    ("span", "bucket_seconds"),
    [(0, 1), (400, 1), (3600, 10), (86_400, 300), (7 * 86_400, 1800), (366 * 86_400, 86_400), (20_000 * 86_400, 0)],
)
def test_buckets_that_nobody_names_are_at_most_five_hundred(tmp_path: Path, span: int, bucket_seconds: int) -> None:
    rows = [{"time": at(-span), "value": 1}, {"time": at(0), "value": 2}]
    found = analysed(made(tmp_path, rows))["bucket_seconds"]
    assert found == bucket_seconds or not bucket_seconds
    assert span / found <= 500


def test_rolling_medians_outliers_trend_and_changes_come_together(tmp_path: Path) -> None:
    draw = random.Random(4)
    level = {number: draw.gauss(0, 1) + (20 if number >= 120 else 0) for number in range(240)} | {60: 90.0}
    answer = analysed(made(tmp_path, readings(level.__getitem__, range(240))), bucket="5m")
    [metric] = answer["metrics"]
    means = pd.Series([point[2] for point in metric["points"]])
    assert [value for _, value in metric["rolling_median"]] == pytest.approx(
        list(means.rolling(11, center=True, min_periods=1).median())
    )
    assert milliseconds(at(60 * 300)) in [moment for moment, *_ in metric["outliers"]]
    [change] = metric["change_points"]
    assert abs(change["at"] - milliseconds(at(120 * 300))) <= 300_000
    assert (change["before"], change["after"]) == pytest.approx((0, 20), abs=1)
    days = np.arange(240) * 300 / 86_400
    slope, intercept = np.polyfit(days, means, 1)
    assert (metric["trend"]["slope_per_day"], metric["trend"]["intercept"]) == pytest.approx((slope, intercept))
    assert metric["trend"]["r2"] == pytest.approx(np.corrcoef(days, means)[0, 1] ** 2)


def test_a_gap_is_told_with_its_ends(tmp_path: Path) -> None:
    answer = analysed(made(tmp_path, readings(lambda number: 1.0, [*range(50), *range(62, 99)])), bucket="5m")
    begins, ends = milliseconds(at(50 * 300)), milliseconds(at(62 * 300))
    assert answer["gaps"] == [{"from": begins, "to": ends, "seconds": 3600}]


def test_a_time_to_look_at_has_gaps_where_no_rows_are(tmp_path: Path) -> None:
    table = made(tmp_path, readings(float, range(100)))
    answer = analysed(table, bucket="5m", starts_at=at(-600).isoformat(), ends_at=at(50 * 300).isoformat())
    assert answer["gaps"] == [{"from": milliseconds(at(-600)), "to": milliseconds(at(0)), "seconds": 600}]
    assert [point[2] for point in answer["metrics"][0]["points"]] == list(range(50))


def test_metrics_are_the_first_five_numbers_or_those_that_are_named(tmp_path: Path) -> None:
    rows = [{"time": at(0), "text": "x", **{f"n {number}": number * 1.5 for number in range(7)}}]
    table = made(tmp_path, rows, types={"n 6": "DECIMAL(9, 2)", "n 5": "HUGEINT"})
    assert [metric["column"] for metric in analysed(table)["metrics"]] == [f"n {number}" for number in range(5)]
    assert [metric["column"] for metric in analysed(table, metrics=["n 6", "n 5"])["metrics"]] == ["n 6", "n 5"]


@pytest.mark.parametrize("kind", ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_S", "DATE"])
def test_times_of_all_types_are_taken(tmp_path: Path, kind: str) -> None:
    rows = [{"when": STARTED_AT + timedelta(days=number), "value": number} for number in range(5)]
    table = make_table(tmp_path, rows, types={"when": kind})
    answer = analysed(table, bucket="1d", starts_at=at(86_400).isoformat())
    assert answer["time_column"] == "when"
    assert [point[:3] for point in answer["metrics"][0]["points"]] == [
        [milliseconds(at(number * 86_400)), 1, float(number)] for number in range(1, 5)
    ]


@pytest.mark.parametrize("rows", [[], [{"time": None, "value": 1.0}], [{"time": at(0), "value": None}]])
def test_without_rows_times_or_values_there_is_nothing_to_tell(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    types = {"time": "TIMESTAMP WITH TIME ZONE", "value": "DOUBLE"}
    [metric] = analysed(made(tmp_path, rows, types=types))["metrics"]
    assert metric == {
        "column": "value",
        "points": [],
        "rolling_median": [],
        "outliers": [],
        "trend": None,
        "change_points": [],
    }


def test_a_single_row_is_a_point(tmp_path: Path) -> None:
    [metric] = analysed(made(tmp_path, readings(lambda _: 7.0, [0])))["metrics"]
    assert metric["points"] == [[milliseconds(STARTED_AT), 1, 7.0, 7.0, 7.0, 7.0]]
    assert (metric["outliers"], metric["trend"], metric["change_points"]) == ([], None, [])


def test_what_is_no_finite_number_is_left_out(tmp_path: Path) -> None:
    odd = [1.0, math.nan, math.inf, -math.inf, 3.0, 1e308, 1e308]
    rows = [{"time": at(number // 5 * 60), "value": value} for number, value in enumerate(odd)]
    [metric] = analysed(made(tmp_path, rows, types={"value": "DOUBLE"}), bucket="1m")["metrics"]
    assert [point[1:5] for point in metric["points"]] == [[2, 2.0, 1.0, 3.0]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"metrics": ["no such"]}, "There is no column no such. Numbers are in: value."),
        ({"metrics": ["text"]}, "The column text has no numbers: it is VARCHAR."),
        ({"time_column": "text"}, "The column text has no times. Name one as time_column: time, other."),
        ({"window": 10}, "odd number"),
        ({"bucket": "1s"}, "Buckets of 1s would be 29,7"),
        ({"starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}, "not after"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, parameters: dict[str, Any], message: str) -> None:
    rows = [{**row, "text": "x", "other": STARTED_AT} for row in readings(float, range(100))]
    with pytest.raises((Refused, msgspec.ValidationError)) as refused:  # the latter before there is a task
        analysed(made(tmp_path, rows), **parameters)
    assert message in str(refused.value)


def test_a_dataset_without_times_or_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No column of the dataset has times"):
        analysed(make_table(tmp_path, [{"value": 1.0}]))
    with pytest.raises(Refused, match="No column of the dataset has numbers"):
        analysed(made(tmp_path, [{"time": STARTED_AT}]))
    with pytest.raises(Refused, match="Name one as time_column: a, b"):
        analysed(make_table(tmp_path, [{"a": STARTED_AT, "b": STARTED_AT, "value": 1.0}]))


@pytest.mark.parametrize("bucket", ["0s", "5", "5 m", "m5", "1w", ""])
def test_buckets_are_numbers_with_units(bucket: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"bucket": bucket}, TimeseriesParameters)
