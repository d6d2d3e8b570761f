"""The largest cursor of a run."""

from typing import Any

import pytest

from sources.cursor import Highest


def highest(*values: Any, before: Any = None) -> Any:
    found = Highest("at", before)
    for value in values:
        found.look({"at": value})
    return found.value


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([9, 10, 2], 10),
        (["9", "10", "2"], "10"),
        (["2026-01-02", "2026-01-10", "2025-12-31"], "2026-01-10"),
        ([2**53, 2**53 + 1, 2**53 - 1], 2**53 + 1),
        ([str(2**53 + 1), str(2**53)], str(2**53 + 1)),
        ([1.5, 1, "1.75"], "1.75"),
        ([None, True, [3], {"a": 4}], None),
    ],
)
def test_it_is_the_largest_as_number_or_as_text(values: list[Any], expected: Any) -> None:
    assert highest(*values) == expected


@pytest.mark.parametrize("bad", ["nan", "NaN", "inf", "-Infinity", "1e999", float("nan"), float("inf"), ""])
def test_what_is_no_cursor_does_not_stick(bad: Any) -> None:
    assert highest(bad, 5, bad, 7, bad) == 7
    assert highest(bad) is None
    assert highest(3, before=bad) == 3


def test_what_was_there_before_stays_until_a_row_has_more() -> None:
    assert highest(3, 4, before=10) == 10
    assert highest(before=10) == 10
    other = Highest("other", 10)
    other.look({"at": 11})
    assert other.value == 10
