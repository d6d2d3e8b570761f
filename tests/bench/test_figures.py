"""The arithmetic of the figures."""

import pytest

from bench.__main__ import parse
from bench.figures import Figure, Finding, Round, busy, per_event, quantile, spread
from bench.report import lines


def figure(*rounds: tuple[float, float], target: float | None = None) -> Figure:
    return Figure("a", "batches", "events/s", "bare COPY", target, [Round(*one) for one in rounds])


def test_the_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_the_medians() -> None:
    found = figure((10, 100), (50, 60), (90, 120))
    assert found.ratio == 0.75
    assert (found.ours, found.other) == (50, 100)


def test_of_an_even_number_of_rounds_the_middle_of_two_counts() -> None:
    assert figure((1, 2), (1, 4)).ratio == 0.375


@pytest.mark.parametrize(("ours", "reached"), [(50, True), (49, False)])
def test_a_target_is_reached_from_exactly_its_value_on(ours: float, reached: bool) -> None:
    found = figure((ours, 100), target=0.5)
    assert found.reached is reached
    assert ("MISSED" in found.verdict) is not reached


def test_without_a_target_there_is_no_verdict() -> None:
    found = figure((1, 2))
    assert found.reached is None
    assert found.verdict == "none"


def test_cpu_time_is_told_in_microseconds_an_event_largest_first() -> None:
    before = {"web": 1.0, "flush": 2.0, "beat": 3.0}
    after = {"web": 1.5, "flush": 4.0, "beat": 3.000001, "born later": 9.0}
    assert per_event(before, after, 100_000) == "flush 20.0, web 5.0"


def test_the_report_shows_both_numbers_beside_the_ratio_and_every_round() -> None:
    text = "\n".join(lines(figure((60_000, 120_000), (80_000, 100_000), target=0.6)))
    for piece in ("70,000 events/s", "110,000 events/s", "0.65", "0.50, 0.80", "0.6 or more: reached"):
        assert piece in text


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.0, 1)])
def test_a_quantile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], share) == value


def test_a_spread_names_its_quantiles_and_unit() -> None:
    assert spread([float(number) for number in range(1000, 0, -1)]) == "p50 500.0, p95 950.0, p99 990.0, max 1000.0 ms"


def test_cpu_time_over_a_while_is_told_in_parts_of_a_core() -> None:
    assert busy({"web": 1.0, "flush": 2.0, "beat": 3.0}, {"web": 3.0, "flush": 7.0, "beat": 3.01}, 10) == (
        "flush 50%, web 20%"
    )


@pytest.mark.parametrize(("reached", "verdict"), [(True, "at most 3 MB: reached"), (False, "at most 3 MB: MISSED")])
def test_a_finding_shows_its_rows_and_whether_its_target_was_reached(reached: bool, verdict: str) -> None:
    finding = Finding("f", "memory", [("before", "1 MB"), ("at the end", "2 MB")], "at most 3 MB", reached)
    text = "\n".join(lines(finding))
    for piece in ("(f) memory", "    before      1 MB", "    at the end  2 MB", f"    target      {verdict}"):
        assert piece in text


def test_parts_are_chosen_and_unknown_ones_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(["--only", "a, c", "--rounds", "2"]).steps == 8
    assert parse(["--only", "d,e,f", "--rounds", "2"]).steps == 5
    with pytest.raises(SystemExit):
        parse(["--only", "a,z"])
    assert "not z" in capsys.readouterr().err


def test_only_the_long_run_watches_for_minutes() -> None:
    assert parse([]).watched_seconds("e") < 60 <= parse(["--long"]).watched_seconds("e")
