"""The checker must be able to fail: each kind of damage to a sound store is found, by name."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.check import compare, expected_rollups
from tests.faults.evidence import Row, Sent, Stored

MINUTE_MS = 60_000
NOON_MS = 1_767_268_800_000

Damage = Callable[[Stored], Stored]


def id_at(minute: int, number: int) -> str:
    digits = f"{NOON_MS + minute * MINUTE_MS:012x}70008000{number:012x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


A, B, C, D, B_AGAIN = (id_at(minute, number) for minute, number in ((0, 1), (0, 2), (1, 3), (1, 4), (2, 5)))
ROW_A, ROW_B, ROW_C, ROW_D = (
    Row(A, None, "x", "run", 0),
    Row(B, "run-1", "y", "run", 1),
    Row(C, "run-2", "x", "run", 2),
    Row(D, None, "y", "run", 3),
)


@pytest.fixture
def sent() -> Sent:
    """Two events without a key, the second never answered; two with, the first sent again after its 202."""
    acknowledged = {A: 0, B: 1, C: 2, B_AGAIN: 1}
    return Sent(run="run", total=4, keyed={1, 2}, acknowledged=acknowledged, unknown={3})


@pytest.fixture
def stored() -> Stored:
    return counted(
        Stored(
            events=[ROW_A, ROW_B, ROW_C, ROW_D],
            dead=[],
            duplicates={B_AGAIN: B},
            claims={"run-1": B, "run-2": C},
            rollups={},
            events_in_ledger=5,
            buffer_keys=[],
        )
    )


def counted(stored: Stored) -> Stored:
    return replace(stored, rollups=expected_rollups(stored))


def kinds(sent: Sent, stored: Stored) -> set[str]:
    return {problem.kind for problem in compare(sent, stored)}


def test_a_sound_store_has_no_problem(sent: Sent, stored: Stored) -> None:
    assert compare(sent, stored) == []


def test_an_unknown_event_may_be_missing(sent: Sent, stored: Stored) -> None:
    without = replace(stored, events=[ROW_A, ROW_B, ROW_C], events_in_ledger=4)
    assert compare(sent, counted(without)) == []


def test_the_counts_are_those_of_the_rows(stored: Stored) -> None:
    noon = NOON_MS // MINUTE_MS
    assert expected_rollups(stored) == {
        (noon, "x"): (1, 0, 0),
        (noon, "y"): (1, 0, 0),
        (noon + 1, "x"): (1, 0, 0),
        (noon + 1, "y"): (1, 0, 0),
        (noon + 2, "y"): (0, 1, 0),
    }


@pytest.mark.parametrize(
    ("damage", "kind", "subject"),
    [
        (lambda s: replace(s, events=[ROW_B, ROW_C, ROW_D]), "lost", A),
        (lambda s: replace(s, duplicates={}), "lost", B_AGAIN),
        (lambda s: replace(s, duplicates={B_AGAIN: A[:-1] + "f"}), "lost", B_AGAIN),
        (lambda s: replace(s, duplicates={B_AGAIN: A[:-1] + "f"}), "duplicates of nothing", B_AGAIN),
        (lambda s: replace(s, duplicates={B_AGAIN: C}), "acknowledged as another", B_AGAIN),
        (lambda s: added(s, ROW_A._replace(id=id_at(3, 9))), "doubled", "number 0: 2 times"),
        (lambda s: added(s, ROW_D._replace(id=id_at(3, 9))), "doubled", "number 3: 2 times"),
        (lambda s: added(s, ROW_B._replace(id=id_at(3, 9))), "doubled", "key run-1: 2 times"),
        (lambda s: added(s, ROW_A), "doubled", f"id {A}: 2 times"),
        (lambda s: replace(s, dead=[ROW_A]), "doubled", f"id {A}: 2 times"),
        (lambda s: replace(s, duplicates={**s.duplicates, A: B}), "doubled", f"id {A}: 2 times"),
        (lambda s: added(s, Row(id_at(3, 9), None, "x", "run", 4)), "never sent", id_at(3, 9)),
        (lambda s: added(s, Row(id_at(3, 9), None, "x", "other run", 3)), "never sent", id_at(3, 9)),
        (lambda s: swapped(s, ROW_C, ROW_C._replace(key=None)), "never sent", C),
        (lambda s: swapped(s, ROW_A, ROW_A._replace(id=id_at(3, 9))), "never sent", id_at(3, 9)),
        (lambda s: swapped(s, ROW_A, ROW_A._replace(number=3)), "acknowledged as another", A),
        (lambda s: replace(s, events=[ROW_B, ROW_C, ROW_D], dead=[ROW_A]), "dead letters of sound events", A),
        (lambda s: replace(s, events_in_ledger=6), "rows and ledger differ", "5 rows, 6 events"),
        (lambda s: replace(s, claims={"run-1": B}), "keys and claims differ", "run-2"),
        (lambda s: replace(s, claims={**s.claims, "run-2": D}), "keys and claims differ", "run-2"),
        (lambda s: replace(s, claims={**s.claims, "run-9": D}), "keys and claims differ", "run-9"),
        (lambda s: replace(s, buffer_keys=["{dh:buf:0}"]), "left in the buffer", "{dh:buf:0}"),
    ],
)
def test_damage_is_found_and_named(sent: Sent, stored: Stored, damage: Damage, kind: str, subject: str) -> None:
    subjects = [subject for problem in compare(sent, damage(stored)) if problem.kind == kind for subject in problem[1]]
    assert any(text.startswith(subject) for text in subjects), compare(sent, damage(stored))


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_count_that_is_off_by_one_is_found(sent: Sent, stored: Stored, column: int) -> None:
    slot = (NOON_MS // MINUTE_MS, "x")
    counts = list(stored.rollups[slot])
    counts[column] += 1
    wrong = {**stored.rollups, slot: (counts[0], counts[1], counts[2])}
    assert kinds(sent, replace(stored, rollups=wrong)) == {"wrong counts per minute"}


def test_counts_of_a_minute_without_rows_and_rows_of_a_minute_without_counts_are_found(
    sent: Sent, stored: Stored
) -> None:
    slot, counts = stored.rollups.popitem()
    assert kinds(sent, stored) == {"wrong counts per minute"}
    more = {**stored.rollups, slot: counts, (0, "x"): (1, 0, 0)}
    assert kinds(sent, replace(stored, rollups=more)) == {"wrong counts per minute"}


def test_a_client_that_forgot_what_became_of_an_event_proves_nothing(sent: Sent, stored: Stored) -> None:
    sent.unknown.clear()
    assert kinds(sent, stored) == {"not accounted for by the client"}


def added(stored: Stored, row: Row) -> Stored:
    return replace(stored, events=[*stored.events, row])


def swapped(stored: Stored, old: Row, new: Row) -> Stored:
    return replace(stored, events=[new if row is old else row for row in stored.events])
