from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.definition import Schedule
from sources.errors import BadDefinition
from sources.schedule import check_schedule, next_run_at

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
intervals = st.floats(1, 10_000_000)
zones = st.sampled_from(["UTC", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
expressions = st.sampled_from(
    ["* * * * *", "*/7 * * * *", "30 2 * * *", "15 1 * * *", "0 0 29 2 *", "0 */5 * * mon-fri", "59 23 L * *"]
)


def every(seconds: float) -> Schedule:
    return Schedule(every_seconds=seconds)


def cron(expression: str, time_zone: str = "UTC") -> Schedule:
    return Schedule(cron=expression, time_zone=time_zone)


def following(schedule: Schedule, now: datetime, times: int) -> list[str]:
    found: list[datetime] = []
    for _ in range(times):
        now = next_run_at(schedule, now, now, 1) or pytest.fail("there is a next time")
        found.append(now)
    return [f"{time:%m-%d %H:%M}" for time in found]


@given(intervals, moments, moments, st.integers(1))
def test_the_next_time_is_later_than_now_by_at_most_one_interval(
    seconds: float, after: datetime, now: datetime, source_id: int
) -> None:
    following = next_run_at(every(seconds), after, now, source_id)
    assert following is not None
    assert timedelta(0) < following - max(now, after) <= timedelta(seconds=seconds)


@given(st.integers(1, 100_000), moments, st.integers(0, 10**9), st.integers(1))
def test_all_times_of_a_source_lie_on_one_grid(seconds: int, now: datetime, later: int, source_id: int) -> None:
    interval = timedelta(seconds=seconds)
    one = next_run_at(every(seconds), now, now, source_id)
    other = next_run_at(every(seconds), now, now + timedelta(seconds=later), source_id)
    assert one is not None
    assert other is not None
    assert (other - one) % interval == timedelta(0)


def test_a_run_that_starts_late_does_not_shift_the_next() -> None:
    due = next_run_at(every(60), NOON, NOON, 7)
    assert due is not None
    late = due + timedelta(seconds=25)
    assert next_run_at(every(60), due, late, 7) == due + timedelta(seconds=60)


def test_times_that_passed_are_not_made_up_for() -> None:
    due = next_run_at(every(60), NOON, NOON, 7)
    assert due is not None
    after_the_outage = due + timedelta(hours=5, seconds=1)
    assert next_run_at(every(60), due, after_the_outage, 7) == due + timedelta(hours=5, seconds=60)


def test_a_new_source_is_due_at_once() -> None:
    assert next_run_at(every(86_400), None, NOON, 7) == NOON


def test_a_thousand_sources_start_evenly_over_the_interval() -> None:
    starts = [next_run_at(every(100), NOON, NOON, source_id) for source_id in range(1000)]
    seconds = [int((start - NOON).total_seconds()) for start in starts if start]
    most_in_one_second = max(seconds.count(second) for second in range(101))
    assert 0 < most_in_one_second < 30


def test_without_a_schedule_there_is_no_next_time() -> None:
    assert next_run_at(None, NOON, NOON, 7) is None
    assert next_run_at(Schedule(), None, NOON, 7) is None


@given(expressions, zones, moments, moments)
def test_cron_times_are_later_than_now_and_than_the_last_run(
    expression: str, zone: str, after: datetime, now: datetime
) -> None:
    following = next_run_at(cron(expression, zone), after, now, 1)
    assert following is not None
    assert following > max(now, after)


def test_cron_is_read_in_its_time_zone() -> None:
    assert next_run_at(cron("30 8 * * *", "Europe/Madrid"), None, NOON, 1) == datetime(2026, 6, 2, 6, 30, tzinfo=UTC)


def test_a_time_that_the_clock_skips_runs_when_the_skipped_hour_is_over() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert following(cron("30 2 * * *", "Europe/Madrid"), before, 2) == ["03-29 01:00", "03-30 00:30"]


def test_a_time_that_the_clock_shows_twice_runs_once() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert following(cron("30 2 * * *", "Europe/Madrid"), before, 2) == ["10-25 00:30", "10-26 01:30"]


def test_within_the_hour_shown_twice_a_daily_time_does_not_come_back() -> None:
    second_time_round = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert following(cron("30 2 * * *", "Europe/Madrid"), second_time_round, 1) == ["10-26 01:30"]


def test_every_ten_minutes_goes_on_through_both_changes_of_clocks() -> None:
    for before in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        times = following(cron("*/10 * * * *", "Europe/Madrid"), before, 18)
        assert times == [f"{before + timedelta(minutes=10 * step):%m-%d %H:%M}" for step in range(1, 19)]


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        (cron("every day"), "five fields"),
        (cron("* * * * * *"), "five fields"),
        (cron("61 * * * *"), "minute"),
        (cron("0 0 30 2 *"), "day"),
        (cron("0 0 */20 2 mon#5"), "no day that exists"),
        (Schedule(every_seconds=5, cron="* * * * *"), "not both"),
        (cron("* * * * *", "Europe/Atlantis"), "time zone"),
        (cron("* * * * *", "../../etc/passwd"), "time zone"),
        (Schedule(every_seconds=5, time_zone=""), "time zone"),
        (every(1e300), "from 1 to"),
        (every(float("nan")), "from 1 to"),
    ],
)
def test_it_says_what_is_wrong_with_a_schedule(schedule: Schedule, complaint: str) -> None:
    with pytest.raises(BadDefinition, match=complaint):
        check_schedule(schedule)
    with pytest.raises(BadDefinition, match=complaint):
        next_run_at(schedule, NOON, NOON, 1)
