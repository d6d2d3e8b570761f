import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.conditions import make_filter
from sources.errors import BadDefinition

NOON = datetime(2021, 6, 30, 12, tzinfo=UTC)
CHECKED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def passes(present: Any, op: str, *value: Any) -> bool:
    condition = {"field": "a", "op": op} | ({"value": value[0]} if value else {})
    return make_filter(condition)({"a": present})


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (1.0, 1, True),
        (Decimal("1.0"), 1, True),
        (Decimal("0.1"), 0.1, True),
        (Decimal("0.2"), 0.1, False),
        (0.1, 0.1, True),
        (2**70, 2**70, True),
        (True, 1, False),
        (1, True, False),
        (False, 0, False),
        (True, True, True),
        (0, None, False),
        (None, None, True),
        ("", None, False),
        ("1", 1, False),
        (1, "1", False),
        ("a", "a", True),
        ("a", "A", False),
        ([1, {"x": 1.0}], [1.0, {"x": 1}], True),
        ([1], [True], False),
        ([1], [1, 2], False),
        ({"x": 1}, {"y": 1}, False),
        ({"x": [None]}, {"x": [None]}, True),
        ([], {}, False),
        ("a", ["a"], False),
        (float("nan"), 1, False),
        (Decimal("sNaN"), 1, False),
        (NOON, "2021-06-30T12:00:00Z", True),
        (NOON, "2021-06-30T14:00:00+02:00", True),
        (NOON, "2021-06-30T12:00:00", True),
        (NOON, "2021-06-30", False),
        (NOON.replace(hour=0), "2021-06-30", True),
        ("2021-06-30T12:00:00Z", "2021-06-30T14:00:00+02:00", True),
        ("2021-06-30", "2021-06-30", True),
        ("2021-06-30", "20210630", False),
        ("2021-09-31T12:00:00", "2021-09-31T12:00:00", True),
        (NOON, 1625054400, False),
    ],
)
def test_equality(one: Any, other: Any, are_equal: bool) -> None:
    assert passes(one, "eq", other) is are_equal
    assert passes(one, "ne", other) is not are_equal
    assert passes(one, "in", ["other", other]) is are_equal
    assert passes(one, "in", [[2], other, 77]) is are_equal
    assert passes(one, "not_in", ["other", other]) is not are_equal
    assert passes([5, one], "contains", other) is are_equal


@pytest.mark.parametrize(
    ("smaller", "value", "greater"),
    [
        (1, 2, 3),
        (1.5, 2, 2.5),
        (Decimal("0.09"), 0.1, Decimal("0.11")),
        (2**70, 2**70 + 1, 2**70 + 2),
        ("a", "b", "c"),
        ("", "B", "b"),
        (NOON.replace(hour=11), "2021-06-30T12:00:00Z", NOON.replace(hour=13)),
        (NOON.replace(day=29), "2021-06-30", NOON),
        ("2021-06-30T13:59:00+02:00", "2021-06-30T12:00:00Z", "2021-06-30T12:00:01"),
        ("2021-06-29T23:59:59", "2021-06-30", "2021-06-30T00:00:00"),
    ],
)
def test_order(smaller: Any, value: Any, greater: Any) -> None:
    for present, results in (
        (smaller, [False, False, True, True]),
        (greater, [True, True, False, False]),
    ):
        assert [passes(present, op, value) for op in ("gt", "gte", "lt", "lte")] == results


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (Decimal("0.1"), 0.1), ("a", "a"), (NOON, "2021-06-30T12:00Z")])
def test_order_of_equals(one: Any, other: Any) -> None:
    assert [passes(one, op, other) for op in ("gt", "gte", "lt", "lte")] == [False, True, False, True]


@pytest.mark.parametrize("op", ["gt", "gte", "lt", "lte"])
@pytest.mark.parametrize(
    ("present", "value"),
    [
        ("5", 3),
        (5, "3"),
        (True, 0),
        (None, 0),
        (None, "a"),
        ([1], 0),
        ({}, "a"),
        (float("nan"), 0),
        (Decimal("NaN"), 0),
        (NOON, 0),
        (NOON, "text"),
        (5, "2021-06-30T12:00:00"),
        ("text", "2021-06-30T12:00:00"),
        ("2021-09-31T12:00:00", "2021-06-30T12:00:00"),
    ],
)
def test_different_types_are_in_no_order(present: Any, op: str, value: Any) -> None:
    assert passes(present, op, value) is False


@pytest.mark.parametrize(
    ("op", "value", "result"),
    [
        ("eq", None, False),
        ("eq", 1, False),
        ("ne", 1, True),
        ("ne", None, True),
        ("gt", 0, False),
        ("lte", "a", False),
        ("in", [None, 1], False),
        ("not_in", [None, 1], True),
        ("contains", "a", False),
        ("matches", "", False),
        ("exists", None, False),
        ("missing", None, True),
    ],
)
def test_of_what_is_missing_only_the_denials_are_true(op: str, value: Any, result: bool) -> None:
    condition = {"field": "b", "op": op, "value": value}
    assert make_filter(condition)({"a": 1}) is result
    assert make_filter({"not": condition})({"a": 1}) is not result


def test_null_exists_as_little_as_what_is_missing() -> None:
    assert passes(None, "exists") is False
    assert passes(None, "missing") is True
    assert passes(False, "exists") is True
    assert passes("", "missing") is False


@pytest.mark.parametrize(
    ("present", "value", "result"),
    [
        ("concierto", "cier", True),
        ("concierto", "Cier", False),
        ("12", 1, False),
        ({"name": 1}, "name", True),
        ({"name": 1}, 1, False),
        ({"1": 1}, 1, False),
        ([1, True], 1.0, True),
        ([True], 1, False),
        ([[1]], [1.0], True),
        ([{"a": 1}], {"a": 1}, True),
        (5, 5, False),
        (None, None, False),
    ],
)
def test_contains(present: Any, value: Any, result: bool) -> None:
    assert passes(present, "contains", value) is result


@pytest.mark.parametrize(
    ("present", "pattern", "result"),
    [
        ("Camela en concierto", "en", True),
        ("Camela en concierto", "^en", False),
        ("Camela", "(?i)^camela$", True),
        ("A28", r"^[A-Z]\d+$", True),
        ("año", "^a.o$", True),
        (5, "5", False),
        (None, "", False),
        ("\ud800", "", False),
        ("x" * 9_999 + "y", "y", True),
        ("x" * 10_000 + "y", "y", False),
    ],
)
def test_matches(present: Any, pattern: str, result: bool) -> None:
    assert passes(present, "matches", pattern) is result


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*$", r"(a|aa)+$", r"a*a*a*a*a*a*b", r"(.*){1,20}b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    matches = make_filter({"field": "a", "op": "matches", "value": pattern})
    start = time.process_time()
    matches({"a": "a" * 100_000 + "!"})
    assert time.process_time() - start < 1


# How filters are put together

A = {"field": "a", "op": "eq", "value": True}
B = {"field": "b", "op": "eq", "value": True}
C = {"field": "c", "op": "eq", "value": True}


@CHECKED
@given(st.fixed_dictionaries({"a": st.booleans(), "b": st.booleans(), "c": st.booleans()}))
def test_filters_are_logic(row: dict[str, bool]) -> None:
    a, b, c = row["a"], row["b"], row["c"]
    assert make_filter({"all": [A, B]})(row) is (a and b)
    assert make_filter({"all": [A, B, C]})(row) is (a and b and c)
    assert make_filter({"any": [A, B]})(row) is (a or b)
    assert make_filter({"any": [A, B, C]})(row) is (a or b or c)
    assert make_filter({"all": [A]})(row) is a
    assert make_filter({"not": {"any": [A, {"all": [B, {"not": C}]}]}})(row) is (not (a or (b and not c)))


def test_without_a_filter_every_row_goes_on() -> None:
    assert make_filter(None)({}) is True


def test_a_field_is_a_path() -> None:
    condition = make_filter({"field": "a.b", "op": "gt", "value": 1})
    assert condition({"a": {"b": 2}})
    assert condition({"a.b": 2})


def nested(levels: int) -> dict[str, Any]:
    filter_: dict[str, Any] = A
    for _ in range(levels - 1):
        filter_ = {"not": filter_}
    return filter_


def test_filters_go_20_levels_deep() -> None:
    assert make_filter(nested(20))({"a": True}) is False
    with pytest.raises(BadDefinition, match=r"^/filter(/not){20}: .*20 levels"):
        make_filter(nested(21))


@pytest.mark.parametrize(
    ("filter_", "place"),
    [
        ({}, "/filter: "),
        ({"all": []}, "/filter/all: "),
        ({"any": {}}, "/filter/any: "),
        ({"not": [A]}, "/filter/not: "),
        ({"all": [A, "b"]}, "/filter/all/1: "),
        ({"all": [A], "any": [B]}, "/filter: "),
        ({"none": [A]}, "/filter: "),
        ({"field": "a"}, "/filter/op: "),
        ({"op": "eq", "value": 1}, "/filter/field: "),
        ({"field": "", "op": "eq", "value": 1}, "/filter/field: "),
        ({"field": 5, "op": "eq", "value": 1}, "/filter/field: "),
        ({"field": "a", "op": "like", "value": 1}, "/filter/op: 'like' is none of eq, ne,"),
        ({"field": "a", "op": ["eq"], "value": 1}, "/filter/op: "),
        ({"field": "a", "op": "eq"}, "/filter: eq needs a value"),
        ({"field": "a", "op": "eq", "value": 1, "extra": 2}, "/filter: .*'extra'"),
        ({"field": "a", "op": "exists", "value": True}, "/filter/value: exists takes none"),
        ({"any": [{"not": {"all": [B, {"field": "a", "op": "in", "value": "x"}]}}]}, "/filter/any/0/not/all/1/value: "),
        ({"field": "a", "op": "gt", "value": True}, "/filter/value: gt takes a number"),
        ({"field": "a", "op": "lte", "value": None}, "/filter/value: lte takes a number"),
        ({"field": "a", "op": "matches", "value": 5}, "/filter/value: matches takes a regular expression"),
        ({"field": "a", "op": "matches", "value": "("}, "/filter/value: "),
        ({"field": "a", "op": "matches", "value": "(?=a)"}, "/filter/value: .*look-around"),
        ({"field": "a", "op": "matches", "value": r"(a)\1"}, "/filter/value: "),
        ({"field": "a", "op": "matches", "value": "a{1000000}"}, "/filter/value: "),
        ({"field": "a", "op": "matches", "value": "\ud800"}, "/filter/value: "),
        ({"field": "a", "op": "matches", "value": "a" * 1001}, "/filter/value: .*at most 1000"),
    ],
)
def test_a_bad_filter_is_refused_at_its_place(filter_: dict[str, Any], place: str) -> None:
    with pytest.raises(BadDefinition, match=f"^{place}"):
        make_filter(filter_)
