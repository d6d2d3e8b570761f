"""What a profile says of texts, booleans and ids: counted by Python too."""

from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.datasets.profiles import column, profile
from tests.datasets.tables import make_table, make_table_of

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.sampled_from(["", "oslo", "Bergen", "12", "1e3", "2026-01-31", "n/a", "é😀", "it's", 'a"b'])


@FEW
@given(values=st.lists(st.none() | WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=60))
def test_values_are_counted(tmp_path: Path, values: list[str | None]) -> None:
    rows = [{"x": one} for one in values]
    found = column(profile(make_table(tmp_path, rows, types={"x": "VARCHAR"}), top=50), "x")
    counted = Counter(one.replace("\0", "\ufffd") for one in values if one is not None)
    assert found["nulls"] == values.count(None)
    assert found["empty"] == values.count("")
    assert (found["distinct"], found["distinct_approximate"]) == (len(set(values) - {None}), False)
    assert Counter({one["value"]: one["count"] for one in found["top"]}) == Counter(dict(counted.most_common(50)))
    lengths = [len(one) for one in values if one is not None]
    if lengths:
        assert (found["lengths"]["min"], found["lengths"]["max"]) == (min(lengths), max(lengths))
        assert found["lengths"]["mean"] == pytest.approx(sum(lengths) / len(lengths))


def test_the_most_frequent_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    rows = [{"x": word} for word in ["c"] * 3 + ["a"] * 2 + ["b"] * 2 + ["d"]]
    top = column(profile(make_table(tmp_path, rows), top=3), "x")["top"]
    assert top == [{"value": "c", "count": 3}, {"value": "a", "count": 2}, {"value": "b", "count": 2}]


def test_texts_that_are_mostly_numbers_show_those_that_are_not(tmp_path: Path) -> None:
    texts = [str(n) for n in range(90)] + ["n/a"] * 6 + ["unknown"] * 2 + ["", None]
    found = column(profile(make_table(tmp_path, [{"x": text} for text in texts])), "x")
    assert found["parse_failures"] == {"as": "number", "count": 8, "examples": ["n/a", "unknown"]}
    assert "likely_number" not in found["hints"]


def test_texts_that_are_mostly_times_show_those_that_are_not(tmp_path: Path) -> None:
    texts = [f"2026-01-{day:02}T12:00:00Z" for day in range(1, 32)] + ["2026-02-31T12:00:00Z"]
    found = column(profile(make_table(tmp_path, [{"x": text} for text in texts])), "x")
    assert found["parse_failures"] == {"as": "time", "count": 1, "examples": ["2026-02-31T12:00:00Z"]}
    assert "likely_time" in found["hints"]


def test_texts_that_are_all_numbers_are_said_to_be(tmp_path: Path) -> None:
    found = column(profile(make_table(tmp_path, [{"x": str(n)} for n in range(9)])), "x")
    assert found["parse_failures"] is None
    assert "likely_number" in found["hints"]


def test_mixed_members_of_payloads_are_looked_at_as_texts(tmp_path: Path) -> None:
    """They are JSON in a snapshot: 7 and "7" are the same text, and null within JSON is no value."""
    values = ["7", '"7"', "12.5", "3", "4", "5", "6", "8", '"broken"', "null", None]
    found = column(profile(make_table(tmp_path, [{"x": one} for one in values], types={"x": "JSON"})), "x")
    assert (found["kind"], found["nulls"]) == ("text", 2)
    assert found["top"][0] == {"value": "7", "count": 2}
    assert found["parse_failures"] == {"as": "number", "count": 1, "examples": ["broken"]}


def test_long_texts_are_cut_where_they_are_shown_and_told_apart_beyond(tmp_path: Path) -> None:
    long = "x" * 100_000
    rows = [{"x": text} for text in [long + "a", long + "a", long + "b", "short"]]
    found = column(profile(make_table(tmp_path, rows)), "x")
    assert [(len(one["value"]), one["count"]) for one in found["top"]] == [(200, 2), (5, 1), (200, 1)]
    assert (found["distinct"], len(found["max"]), found["lengths"]["max"]) == (3, 200, 100_001)


def test_booleans_and_ids(tmp_path: Path) -> None:
    rows = [{"ok": n % 4 > 0, "id": UUID(int=n)} for n in range(8)]
    result = profile(make_table(tmp_path, rows))
    assert column(result, "ok")["top"] == [{"value": True, "count": 6}, {"value": False, "count": 2}]
    assert column(result, "id")["hints"] == ["unique", "likely_key"]
    assert {"value": str(UUID(int=3)), "count": 1} in column(result, "id")["top"]


def test_nested_values_are_shown_as_texts(tmp_path: Path) -> None:
    found = column(profile(make_table_of(tmp_path, "SELECT [n % 2, 7] AS x FROM range(5) AS r(n)")), "x")
    assert (found["kind"], found["distinct"]) == ("other", 2)
    assert found["top"] == [{"value": "[0, 7]", "count": 3}, {"value": "[1, 7]", "count": 2}]
