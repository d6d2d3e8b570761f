"""What is expected of the service while something is down, and which faults a run consists of."""

import random
from dataclasses import replace

import pytest

from tests.faults.faults import EVERYTHING, TARGETS, UNANNOUNCED, UNPOPPED, Episode, Fault, judge, plan

FINE = Episode(
    fault=Fault("postgres"),
    pids=[1],
    accepting_seconds=0.1,
    storing_seconds=2.0,
    showing_seconds=0.3,
    refused=0,
    unanswered=0,
    frozen_refusals=0,
    slowest_seconds=0.2,
    exposed=0,
)


def kinds(**changes: object) -> list[str]:
    return [problem.kind for problem in judge(replace(FINE, **changes))]  # type: ignore[arg-type]


def test_a_fault_that_only_delays_storing_is_fine() -> None:
    assert kinds() == []


@pytest.mark.parametrize("sign", ["accepting", "storing", "showing"])
def test_what_does_not_come_back_is_a_problem(sign: str) -> None:
    assert kinds(**{f"{sign}_seconds": None}) == [f"{sign} did not come back"]


@pytest.mark.parametrize("trouble", [{"refused": 1}, {"unanswered": 1}])
@pytest.mark.parametrize("target", ["flush", "postgres", "notify", "jobs", "beat", "broker"])
def test_events_are_accepted_whatever_dies_behind_the_buffer(target: str, trouble: dict[str, int]) -> None:
    assert kinds(fault=Fault(target), **trouble) == ["acceptance was interrupted"]


@pytest.mark.parametrize("fault", [Fault("web"), Fault("buffer"), UNANNOUNCED, UNPOPPED, EVERYTHING])
def test_requests_may_fail_while_nobody_can_take_them(fault: Fault) -> None:
    assert kinds(fault=fault, refused=3, unanswered=2) == []


@pytest.mark.parametrize("fault", [Fault("postgres", "freeze"), Fault("buffer"), Fault("broker")])
def test_an_answer_that_takes_seconds_is_a_problem(fault: Fault) -> None:
    assert kinds(fault=fault, slowest_seconds=5.0) == ["slow to answer"]


def test_a_frozen_buffer_must_be_refused_for() -> None:
    frozen = Fault("buffer", "freeze")
    assert kinds(fault=frozen, refused=2, frozen_refusals=0) == ["not refused while the buffer was frozen"]
    assert kinds(fault=frozen, refused=2, frozen_refusals=2) == []


def test_a_run_strikes_every_target_and_ends_with_everything() -> None:
    faults = plan(TARGETS, 12, random.Random(1))
    assert [fault.target for fault in faults[:8]] == list(TARGETS)
    assert {fault.reach for fault in faults[8:12]} <= {"leader", "child"}
    freezes = [Fault(target, "freeze") for target in ("buffer", "notify", "postgres")]
    assert faults[12:] == [UNANNOUNCED, UNPOPPED, *freezes, EVERYTHING]


def test_only_targets_that_were_named_are_frozen() -> None:
    assert plan(["flush"], 1, random.Random(1)) == [Fault("flush"), EVERYTHING]
