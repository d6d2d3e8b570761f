"""What is wrong with a watcher's account is found, each kind by name."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from monitor.client import Gap, Subscription
from tests.faults.evidence import Row, Stored
from tests.faults.hearing import Numbered, compare_heard
from tests.faults.watchers import Heard, Interest

EPOCH = "e1"
ROWS = [Row(f"id-{number}", None, "odd" if number % 2 else "even", "run", number) for number in range(6)]
STORED = Stored(
    events=ROWS[:5],
    dead=[],
    duplicates={"id-5": "id-4"},
    claims={},
    rollups={},
    events_in_ledger=6,
    buffer_keys=[],
)
NUMBERED = Numbered({EPOCH: 6}, unheard=0)
ODD = Interest("odd ones", Subscription(type="odd"), lambda number, type: type == "odd")
ALL = Interest("all", Subscription(), lambda number, type: True)


def gap(first: int, last: int, epoch: str = EPOCH, reason: str = "lost") -> Gap:
    return Gap(id="feed", epoch=epoch, reason=reason, first=first, last=last)


def heard_all() -> Heard:
    shown = {(EPOCH, f"id-{number}"): (number, "odd" if number % 2 else "even") for number in range(5)}
    return Heard(ALL, shown, ends={EPOCH: 6}, covered=6, matched=6)


def heard_odd() -> Heard:
    return Heard(ODD, {(EPOCH, "id-3"): (3, "odd")}, ends={EPOCH: 6}, covered=4, matched=1, gaps=[gap(2, 3)])


def kinds(*heard: Heard, numbered: Numbered = NUMBERED, stored: Stored = STORED) -> set[str]:
    return {problem.kind for problem in compare_heard(heard, numbered, stored)}


def test_a_sound_account_has_no_problem() -> None:
    assert kinds(heard_all(), heard_odd()) == set()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda h: replace(h, fault="a frame begins at 3"), "a watcher gave up"),
        (lambda h: replace(h, ends={EPOCH: 5}, covered=5, matched=5), "neither shown nor said to be missing"),
        (lambda h: replace(h, covered=5), "neither shown nor said to be missing"),
        (lambda h: replace(h, covered=5, gaps=[gap(1, 2)]), "neither shown nor said to be missing"),
        (lambda h: replace(h, matched=5), "counted wrongly for watchers"),
        (lambda h: replace(h, matched=7), "counted wrongly for watchers"),
        (lambda h: replace(h, shown={(EPOCH, "id-9"): (9, "odd")}), "shown and not stored so, or not asked for"),
        (lambda h: replace(h, shown={(EPOCH, "id-1"): (2, "odd")}), "shown and not stored so, or not asked for"),
        (lambda h: replace(h, interest=ODD, matched=2), "shown and not stored so, or not asked for"),
        (lambda h: replace(h, again=["id-1"]), "shown twice"),
    ],
)
def test_a_false_account_is_found(change: Callable[[Heard], Heard], kind: str) -> None:
    assert kind in kinds(change(heard_all()))


@pytest.mark.parametrize("end", [5, 7])
def test_numbers_that_are_more_or_fewer_than_events_are_found(end: int) -> None:
    numbered = Numbered({EPOCH: end}, unheard=100)
    assert "numbers differ from events" in kinds(numbered=numbered)


def test_what_was_unchecked_or_missing_may_have_matched_or_not() -> None:
    for matched in (0, 1, 2):
        assert kinds(replace(heard_odd(), matched=matched, shown={})) == set()
        assert kinds(replace(heard_odd(), covered=6, matched=matched, unchecked=2, gaps=[], shown={})) == set()
    assert kinds(replace(heard_odd(), matched=3, shown={})) == {"counted wrongly for watchers"}


def test_what_a_numbering_took_along_when_it_ended_is_excused_within_bounds() -> None:
    account = Heard(ALL, ends={EPOCH: 2, "e2": 3}, covered=5, matched=5, gaps=[gap(1, 0, "e2", "new_epoch")])
    ends = {EPOCH: 2, "e2": 3}
    assert kinds(account, numbered=Numbered(ends, unheard=1)) == set()
    assert kinds(account, numbered=Numbered(ends, unheard=0)) == {
        "numbers differ from events",
        "counted wrongly for watchers",
    }
