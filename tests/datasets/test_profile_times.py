"""What a profile says of times, and of what is missing when."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.datasets.profiles import column, profile
from tests.datasets.tables import TAKEN_AT, make_table, make_table_of

FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_span_and_the_age_of_the_last_row(tmp_path: Path) -> None:
    rows = [{"time": START + timedelta(hours=hour)} for hour in (5, 0, 48)]
    assert profile(make_table(tmp_path, rows, time_column="time"))["time"] == {
        "column": "time",
        "first": "2026-01-01T00:00:00Z",
        "last": "2026-01-03T00:00:00Z",
        "span_seconds": 172_800.0,
        "freshness_seconds": (TAKEN_AT - START).total_seconds() - 172_800.0,
    }


def test_times_have_range_quantiles_and_histogram_as_times(tmp_path: Path) -> None:
    rows = [{"time": START + timedelta(minutes=minute)} for minute in range(61)]
    found = column(profile(make_table(tmp_path, rows)), "time")
    assert (found["min"], found["max"]) == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    assert found["mean"] == found["quantiles"]["0.5"] == "2026-01-01T00:30:00Z"
    assert [one["from"] for one in found["histogram"][:2]] == ["2026-01-01T00:00:00Z", "2026-01-01T00:02:00Z"]
    assert [one["count"] for one in found["histogram"]] == [2] * 29 + [3]
    assert found["std"] == pytest.approx(1065.18, abs=0.01)
    assert found["hints"] == ["unique", "likely_time"]


def test_dates_are_counted_by_whole_days(tmp_path: Path) -> None:
    rows = [{"day": date(2026, 1, 1) + timedelta(days=day)} for day in (0, 0, 1, 9)]
    found = column(profile(make_table(tmp_path, rows)), "day")
    assert (found["min"], found["max"], found["quantiles"]["0.5"]) == ("2026-01-01", "2026-01-10", "2026-01-01")
    assert found["histogram"][:2] == [
        {"from": "2026-01-01", "to": "2026-01-02", "count": 2},
        {"from": "2026-01-02", "to": "2026-01-03", "count": 1},
    ]
    assert found["top"][0] == {"value": "2026-01-01", "count": 2}


def test_times_that_no_calendar_of_ours_has_do_no_harm(tmp_path: Path) -> None:
    times = "(TIMESTAMPTZ 'infinity'), (TIMESTAMPTZ '20260-01-01 00:00:00+00'), (TIMESTAMPTZ '2026-01-01 00:00:00+00')"
    found = column(profile(make_table_of(tmp_path, f"SELECT * FROM (VALUES {times}) AS t(x)", time_column="x")), "x")
    assert (found["min"], found["max"]) == ("2026-01-01T00:00:00Z", "infinity")
    assert found["mean"] is None


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000_000])
def test_whole_numbers_may_be_unix_time(tmp_path: Path, unit: int) -> None:
    rows = [{"x": (1_767_225_600 + second) * unit} for second in range(3)]
    assert "likely_time" in column(profile(make_table(tmp_path, rows)), "x")["hints"]


@FEW
@given(rows=st.lists(st.tuples(st.none() | st.integers(0, 86_400), st.none() | st.just(1)), min_size=1, max_size=60))
def test_what_is_missing_is_mapped_over_time(tmp_path: Path, rows: list[tuple[int | None, int | None]]) -> None:
    made = [
        {"time": None if second is None else START + timedelta(seconds=second), "x": value} for second, value in rows
    ]
    types = {"time": "TIMESTAMP WITH TIME ZONE", "x": "BIGINT"}
    missing = profile(make_table(tmp_path, made, types=types, time_column="time"))["missing"]
    timed = [(second, value) for second, value in rows if second is not None]
    if not timed or "x" not in missing["columns"]:
        assert not timed or all(value for _, value in rows)
        return
    place = missing["columns"].index("x")
    low, high = min(second for second, _ in timed), max(second for second, _ in timed)
    buckets: dict[int, list[bool]] = {}
    for second, value in timed:
        bucket = min(59, (second - low) * 60 // (high - low)) if high > low else 0
        buckets.setdefault(bucket, []).append(value is None)
    assert [one["rate"][place] for one in missing["buckets"]] == pytest.approx(
        [sum(own) / len(own) for _, own in sorted(buckets.items())]
    )


def test_without_time_what_is_missing_is_mapped_over_the_rows(tmp_path: Path) -> None:
    sql = "SELECT n, CASE WHEN n < 150000 THEN n END AS x FROM range(300000) AS r(n)"
    missing = profile(make_table_of(tmp_path, sql, parts=3))["missing"]
    assert missing["columns"] == ["x"]
    assert [one["from"] for one in missing["buckets"]] == list(range(0, 300_000, 5_000))
    assert [one["rate"] for one in missing["buckets"]] == [[0.0]] * 30 + [[1.0]] * 30


def test_a_table_without_gaps_has_no_map(tmp_path: Path) -> None:
    assert profile(make_table(tmp_path, [{"x": 1}]))["missing"] == {"columns": [], "buckets": []}
