"""Numbers as they are written in much of Europe: 2,50 and 1.234,56."""

from decimal import Decimal
from typing import Any

import pytest

from sources import validation
from sources.conversion import make_converter
from sources.errors import RowRejected
from sources.pipeline import Pipeline
from sources.validation import InvalidDefinition


def converted(value: Any, type_: str = "number") -> Any:
    return make_converter(type_, decimal=",")(value)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2,50", 2.5),
        (" -2,5 ", -2.5),
        ("12", 12),
        (",5", 0.5),
        ("5,", 5.0),
        ("1,5e3", 1500.0),
        ("1.234,56", 1234.56),
        ("1.234.567", 1234567),
        ("+12 345,6", 12345.6),
        ("1\xa0234,5", 1234.5),
        ("1\u202f234,5", 1234.5),
        ("1'234'567,5", 1234567.5),
        ("1’234,5", 1234.5),
        ("0,12345678901234567890", Decimal("0.12345678901234567890")),
        ("0,1e400", Decimal("1E+399")),
    ],
)
def test_a_comma_is_the_point_and_groups_are_put_together(text: str, number: Any) -> None:
    found = converted(text)
    assert (found, type(found)) == (number, type(number))


@pytest.mark.parametrize(
    "text",
    [
        *("2.50", "0.123", "1.23,4", "1.2345", "1234.567", "1,234.56", "1,2,3", "1 234.567", "1..234", ".234"),
        *("1_000,5", ",", "-", "x", "nan", "1" * 1001),
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    with pytest.raises(RowRejected) as caught:
        converted(text)
    assert caught.value.code == "bad_number"


def test_whole_numbers_are_integers() -> None:
    assert [converted(text, "integer") for text in ("1.234", "12,0", "7", "1 000")] == [1234, 12, 7, 1000]
    with pytest.raises(RowRejected, match="not whole"):
        converted("12,5", "integer")


def test_what_is_a_number_already_stays_as_it_is() -> None:
    assert [converted(value) for value in (2.5, 3, Decimal("0.1"))] == [2.5, 3, 0.1]
    assert converted(" ") is None


def test_with_a_point_all_is_as_before() -> None:
    point = make_converter("number", decimal=".")
    assert point("2.50") == 2.5
    for text in ("2,50", "1 234", "1.234,56"):
        with pytest.raises(RowRejected):
            point(text)


def document(**field: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "extract": {"kind": "http", "url": "https://x.example/"},
        "map": [{"to": "price", "from": "price", **field}],
        "load": {"kind": "append", "stream": "s"},
    }


def test_a_definition_says_it_for_a_field() -> None:
    pipeline = Pipeline(validation.read(document(type="number", decimal=",", default="0,5")))
    rows: list[Any] = [{"price": "1.234,56"}, {"price": ""}]
    assert pipeline.preview(rows, 9)["mapped"] == [{"price": 1234.56}, {"price": 0.5}]


@pytest.mark.parametrize("type_", ["any", "text", "boolean", "time", "date", "json"])
def test_other_types_have_no_decimal_comma(type_: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        validation.read(document(type=type_, decimal=","))
    [problem] = caught.value.problems
    assert problem.pointer == "/map/0/decimal"
    assert f"this is {type_}" in problem.message


def test_there_are_no_other_decimal_signs() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        validation.read(document(type="number", decimal="'"))
    assert [problem.pointer for problem in caught.value.problems] == ["/map/0/decimal"]
