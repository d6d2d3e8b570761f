from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import jmespath
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sources.definition import Field
from sources.errors import BadDefinition, RowRejected, SourceError
from sources.mapping import make_mapper, make_rows_mapper, unmatched

EVENT = {
    "-event_id": "291",
    "-event_start_date": "2021-06-30T21:00:00",
    "-sold_out": "false",
    "zone": [{"-price": "20.00", "-capacity": "200"}, {"-price": "15.00", "-capacity": "0"}],
}


def mapped(row: dict[str, Any], **field: Any) -> Any:
    return make_mapper([Field(to="x", **field)])(row)["x"]


def test_without_fields_it_is_the_identity() -> None:
    row = {"a": 1}
    assert make_mapper([])(row) is row


def test_a_row_gets_exactly_the_fields_of_the_mapping() -> None:
    fields = [
        Field(to="id", source='"-event_id"', type="integer", required=True),
        Field(to="starts_at", source='"-event_start_date"', type="time", time_zone="Europe/Madrid"),
        Field(to="sold_out", source='"-sold_out"', type="boolean"),
        Field(to="cheapest", source='min(zone[].to_number("-price"))', type="number"),
        Field(to="zones", source="length(zone)"),
        Field(to="note", source="note"),
    ]
    assert make_mapper(fields)(EVENT) == {
        "id": 291,
        "starts_at": datetime(2021, 6, 30, 19, tzinfo=UTC),
        "sold_out": False,
        "cheapest": 15,
        "zones": 2,
        "note": None,
    }


names = st.sampled_from(["a", "b", "_c1", "-d", "e.f", 'q"', "ü", "A", ""])
scalars = st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2)
rows = st.dictionaries(
    names,
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=4), max_leaves=6
    ),
    max_size=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.lists(names, min_size=1, max_size=4))
def test_names_and_dotted_names_give_what_jmespath_gives(row: dict[str, Any], path: list[str]) -> None:
    expression = ".".join(
        name if name.isascii() and name.isidentifier() else '"' + name.replace('"', '\\"') + '"' for name in path
    )
    assert mapped(row, source=expression) == jmespath.search(expression, row)


@pytest.mark.parametrize("source", ["a", "a.b", "a[0]", "a || `null`"])
@pytest.mark.parametrize("row", [{}, {"a": None}])
def test_what_is_missing_is_null_or_the_default(row: dict[str, Any], source: str) -> None:
    assert mapped(row, source=source) is None
    assert mapped(row, source=source, default="none") == "none"
    assert mapped(row, source=source, type="time", default="2021-06-30") == datetime(2021, 6, 30, tzinfo=UTC)


def test_a_value_that_is_false_is_not_missing() -> None:
    values: list[Any] = [False, 0, "", [], {}]
    for value in values:
        assert mapped({"a": value}, source="a", default="none", required=True) == value


def test_a_blank_text_is_missing_for_a_type() -> None:
    assert mapped({"a": " "}, source="a", type="integer", default=7) == 7
    with pytest.raises(RowRejected):
        mapped({"a": " "}, source="a", type="integer", required=True)


def test_a_required_field_rejects_the_row_by_name() -> None:
    with pytest.raises(RowRejected, match=r"^x: a\.b is missing or null\.$") as caught:
        mapped({"a": {}}, source="a.b", required=True)
    assert caught.value.code == "missing_field"


@pytest.mark.parametrize("source", ["a.b", '"a.b"', "a.b || c", "to_array(a.b)|[0]", "[a.b][0]"])
def test_a_path_finds_the_member_that_flattening_made(source: str) -> None:
    assert mapped({"a.b": 1}, source=source) == 1


def test_a_member_of_a_member_goes_before_the_flat_one() -> None:
    assert mapped({"a": {"b": 1}, "a.b": 2}, source="a.b") == 1
    assert mapped({"a": {"b": None}, "a.b": 2}, source="a.b") == 2
    assert mapped({"a": 1, "a.b.c": 2}, source="a.b.c") == 2


def test_fields_that_find_nothing_in_any_row_are_known() -> None:
    fields = [Field(to=name, source=name) for name in ("a", "b", "c.d", "max(a)", "length(e)")]
    assert unmatched(fields, [{"a": 1, "b": None}, {"a": None, "c.d": 0}]) == [1]
    assert unmatched(fields, []) == []


# What cannot be converted


def test_it_rejects_the_row() -> None:
    with pytest.raises(RowRejected, match=r"^x: 2021-09-31T20:00:00 is no date: ") as caught:
        mapped({"a": "2021-09-31T20:00:00"}, source="a", type="time")
    assert caught.value.code == "bad_time"


def test_or_it_becomes_null_but_not_the_default() -> None:
    assert mapped({"a": "x"}, source="a", type="integer", on_error="null", default=5) is None


def test_null_on_error_does_not_pass_what_is_required() -> None:
    with pytest.raises(RowRejected) as caught:
        mapped({"a": "x"}, source="a", type="integer", on_error="null", required=True)
    assert caught.value.code == "bad_integer"


def test_or_it_fails_the_run_naming_the_row_and_the_field() -> None:
    with pytest.raises(SourceError, match=r"x: b is no integer.*The row: {'id': 17, 'a': 'b'}") as caught:
        mapped({"id": 17, "a": "b"}, source="a", type="integer", on_error="fail")
    assert caught.value.code == "mapping_failed"
    with pytest.raises(SourceError, match="a is missing"):
        mapped({}, source="a", required=True, on_error="fail")


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("length(a)", {"a": 5}),
        ("a > b", {"a": 1, "b": "x"}),
        ("sum(a)", {"a": [1, "x"]}),
        ("a[::0]", {"a": [1]}),
        ("merge(a, b)", {"a": {}, "b": None}),
        ("sort_by(a, &b)", {"a": [{"b": 1}, {"b": "x"}]}),
        ("max_by(a, &b)", {"a": [{"b": 1}, {"b": "x"}]}),
    ],
)
def test_an_expression_that_fails_is_an_error_of_the_row(source: str, row: dict[str, Any]) -> None:
    with pytest.raises(RowRejected) as caught:
        mapped(row, source=source)
    assert caught.value.code == "bad_value"
    assert mapped(row, source=source, on_error="null") is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sum(a)", Decimal("3.6")),
        ("avg(a)", Decimal("1.2")),
        ("sum(b[].n)", Decimal("1.5")),
        ("sum([`1`, `0.5`])", 1.5),
        ("max(b[].n)", 1),
        ("min(b[].n)", Decimal("0.5")),
        ("abs(a[0])", Decimal("2.5")),
        ("type(a[0])", "number"),
        ("to_number(a[0])", Decimal("2.5")),
        ("a[?@ > `1`]", [Decimal("2.5")]),
        ("sort_by(b, &n)[0].n", Decimal("0.5")),
    ],
)
def test_decimals_are_numbers_in_expressions(source: str, expected: Any) -> None:
    row = {"a": [Decimal("2.5"), 1, 0.1], "b": [{"n": 1}, {"n": Decimal("0.5")}]}
    assert mapped(row, source=source) == expected


def test_no_expression_makes_a_number_that_is_none() -> None:
    assert mapped({"a": "nan"}, source="to_number(a)") is None


# Bad mappings


def complaint(**field: Any) -> str:
    with pytest.raises(BadDefinition) as caught:
        make_mapper([Field(to="y", source="b"), Field(to="x", **field)])
    return str(caught.value)


def test_an_unquoted_name_is_explained_with_its_position_and_how_it_is_written() -> None:
    message = complaint(source="-event_id")
    assert message.startswith("/map/1/from: '-event_id' is no JMESPath expression: at character 1, ")
    assert '"-event_id" (in JSON: \\"-event_id\\")' in message
    assert 'event."-id" (in JSON: event.\\"-id\\")' in complaint(source="event.-id")
    assert "at character 7" in complaint(source="event.-id")


@pytest.mark.parametrize(
    "source", ["", "  ", "a[0", "foo(", "a..b", "@id", "a b", '"a', "`x", "=", "[", "!" * 900, "[" * 900, "a" * 1001]
)
def test_an_expression_that_is_none_is_refused(source: str) -> None:
    assert complaint(source=source).startswith("/map/1/from: ")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nope(@)", "there is no function nope()"),
        ("a[].nope(@)", "there is no function nope()"),
        ("{b: not_null()}", "not_null() takes 1 or more argument(s)"),
        ("length(a, b)", "length() takes 1 argument(s)"),
        ("sort_by(a, b)", "sort_by() takes an expression after &"),
        ("to_array(&a)", "to_array() takes an expression after &"),
        ("&a", "an expression after &"),
        ("[&a]", "an expression after &"),
    ],
)
def test_functions_are_checked_before_any_row_comes(source: str, reason: str) -> None:
    assert reason in complaint(source=source)


@pytest.mark.parametrize("source", ["map(&length(x), a)", "sort_by(a, &b.c)[0]", "merge(a, b, c)", "not_null(a, b)"])
def test_functions_that_are_used_well_pass(source: str) -> None:
    make_mapper([Field(to="x", source=source)])


def test_other_mistakes_are_named_by_their_place() -> None:
    assert complaint(source="a", type="time", time_zone="Mars").startswith("/map/1/time_zone: ")
    assert complaint(source="a", type="time", format="%q").startswith("/map/1/format: ")
    assert complaint(source="a", type="integer", default="x").startswith("/map/1/default: ")


def test_two_fields_of_one_name_are_refused() -> None:
    with pytest.raises(BadDefinition, match="2 fields go to 'x'"):
        make_mapper([Field(to="x", source="a"), Field(to="x", source="b")])


TYPES = ("any", "text", "integer", "number", "boolean", "time", "date", "json")
COMMON = ("7", "-7.5", "true", "no", "2026-11-23T12:34:56Z", "2026-02-30T12:34:56Z", " 7 ", "", "\u0661", "word", "[1]")
values = st.sampled_from(COMMON) | scalars | st.floats(allow_nan=False) | st.lists(st.integers(), max_size=1)
fields = st.builds(
    Field,
    to=st.just("x"),
    source=st.sampled_from(["a", "b", "a.c", "a || b"]),
    type=st.sampled_from(TYPES),
    on_error=st.sampled_from(["reject", "null", "fail"]),
    required=st.booleans(),
    default=st.none() | st.just("1"),
)


def tried(map_row: Callable[[], Any]) -> Any:
    try:
        return repr(map_row())
    except (RowRejected, SourceError) as error:
        return type(error), error.code, str(error)


@settings(deadline=None, max_examples=300)
@given(fields, st.lists(st.dictionaries(st.sampled_from("ab"), values, max_size=2), max_size=4))
def test_rows_mapped_at_once_are_those_mapped_one_by_one(field: Field, rows: list[dict[str, Any]]) -> None:
    try:
        map_row, map_rows = make_mapper([field]), make_rows_mapper([field])
    except BadDefinition:
        assume(False)
    one_by_one = [tried(lambda row=row: map_row(row)) for row in rows]  # type: ignore[misc]
    raised = [outcome for outcome in one_by_one if isinstance(outcome, tuple)]
    at_once = tried(lambda: map_rows(rows))
    assert at_once in raised if raised else at_once == f"[{', '.join(one_by_one)}]"


def test_rows_at_once_without_fields_are_the_same() -> None:
    rows = [{"a": 1}]
    assert make_rows_mapper([])(rows) is rows
