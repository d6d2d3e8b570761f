from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.errors import BadDefinition, RowRejected
from sources.keys import HASH_BYTES, content_hash, make_key

CHECKED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.text("ab|\\.", min_size=1, max_size=4)


@CHECKED
@given(st.lists(st.tuples(texts, texts, texts), min_size=2, max_size=2, unique=True))
def test_different_fields_never_make_the_same_key(both: list[tuple[str, str, str]]) -> None:
    key = make_key(["a", "b", "c"])
    one, other = (key(dict(zip("abc", values, strict=True))) for values in both)
    assert one != other


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("a", "b|c"), "a|b\\|c"),
        (("a|b", "c"), "a\\|b|c"),
        (("a\\", "b"), "a\\\\|b"),
        ((1, True), "1|true"),
    ],
)
def test_fields_are_joined_and_the_separator_is_escaped(values: tuple[Any, Any], expected: str) -> None:
    assert make_key(["x", "y"])({"x": values[0], "y": values[1]}) == expected


def test_a_text_alone_is_the_key_as_it_is() -> None:
    assert make_key(["x.y"])({"x": {"y": "a|b\\"}}) == "a|b\\"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, "12"),
        (12.0, "12"),
        ("12", "12"),
        (Decimal("12.00"), "12"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.5"),
        (1e22, "1" + "0" * 22),
        (Decimal("1E+22"), "1" + "0" * 22),
        (10**22, "1" + "0" * 22),
        (-0.0, "0"),
        (0, "0"),
        (False, "false"),
        (datetime(2021, 6, 30, 21, tzinfo=timezone(timedelta(hours=2))), "2021-06-30T19:00:00Z"),
        (date(2021, 6, 30), "2021-06-30"),
    ],
)
def test_equal_values_are_one_key(value: Any, expected: str) -> None:
    assert make_key(["x"])({"x": value}) == expected


@pytest.mark.parametrize("value", [None, "", [], {}, ["a"], float("nan"), Decimal("sNaN"), "a\0b", "\ud800"])
def test_what_is_no_key_rejects_the_row(value: Any) -> None:
    for paths in (["x"], ["x", "y"]):
        with pytest.raises(RowRejected) as caught:
            make_key(paths)({"x": value, "y": "a"})
        assert caught.value.code == "no_key"


def test_a_missing_field_is_named() -> None:
    with pytest.raises(RowRejected, match=r"event\.id is missing"):
        make_key(["event.id"])({"event": {}})


TOO_LONG = ["a" * 256, 10**255, 10**5000, 1e300, Decimal("1E+999999999"), Decimal("1E-999999")]


@pytest.mark.parametrize("value", TOO_LONG, ids=range(len(TOO_LONG)))
def test_a_key_that_is_too_long_is_not_cut(value: Any) -> None:
    with pytest.raises(RowRejected) as caught:
        make_key(["x"])({"x": value})
    assert caught.value.code == "key_too_long"


def test_the_longest_key_is_taken() -> None:
    assert make_key(["x"])({"x": "é" * 255}) == "é" * 255


@pytest.mark.parametrize("paths", [[], [""], ["a", ""]])
def test_a_key_needs_fields(paths: list[str]) -> None:
    with pytest.raises(BadDefinition):
        make_key(paths)


# Hashes

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
rows = st.dictionaries(st.text(max_size=2), values, max_size=4)


def reversed_members(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reversed_members(value[name]) for name in reversed(value)}
    return [reversed_members(element) for element in value] if isinstance(value, list) else value


@CHECKED
@given(rows)
def test_the_order_of_members_does_not_matter(row: dict[str, Any]) -> None:
    assert content_hash(row) == content_hash(reversed_members(row))
    assert len(content_hash(row)) == HASH_BYTES


@CHECKED
@given(rows, rows)
def test_rows_that_differ_have_different_hashes(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (content_hash(one) == content_hash(other)) == (repr(reordered(one)) == repr(reordered(other)))


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in sorted(value)}
    return [reordered(element) for element in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, "1"),
        (1, True),
        (None, "null"),
        ([], {}),
        (2**70, 2**70 + 1),
        (Decimal("0.1234567890123456789"), Decimal("0.1234567890123456788")),
        (Decimal("1E+400"), Decimal("1E+401")),
        ("\ud800", "\ud801"),
        (b"a", b"b"),
    ],
)
def test_these_differ(one: Any, other: Any) -> None:
    assert content_hash({"a": one}) != content_hash({"a": other})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Decimal("1.50"), 1.5),
        (Decimal("0"), 0.0),
        (Decimal("1.2345678901234567890"), Decimal("1.23456789012345678900")),
        (datetime(2021, 6, 30, tzinfo=UTC), "2021-06-30T00:00:00Z"),
        ([2**70, Decimal("0.0")], [2**70, 0.0]),
    ],
)
def test_these_are_the_same(one: Any, other: Any) -> None:
    assert content_hash({"a": one}) == content_hash({"a": other})


def test_a_hash_stays_what_it_is() -> None:
    """It is stored, and compared after an upgrade."""
    row = {"b": [1, 2.5, None, True], "a": {"y": "é", "x": Decimal("0.1")}, "c": datetime(2021, 6, 30, tzinfo=UTC)}
    text = '{"a":{"x":0.1,"y":"é"},"b":[1,2.5,null,true],"c":"2021-06-30T00:00:00Z"}'
    assert content_hash(row) == blake2b(text.encode(), digest_size=16).digest()


def test_an_endless_nesting_rejects_the_row() -> None:
    row: dict[str, Any] = {}
    for _ in range(100_000):
        row = {"a": row}
    with pytest.raises(RowRejected) as caught:
        content_hash(row)
    assert caught.value.code == "too_deep"
