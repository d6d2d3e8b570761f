"""What a preview suggests for a definition."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sources.definition import Definition
from sources.pipeline import Pipeline
from sources.rows import Item, Row
from sources.suggestions import suggest
from tests.sources.decoding import decoded

PROVIDER = Path(__file__).parent / "data" / "provider_events_1.xml"


def define(**parts: Any) -> Definition:
    whole = {"version": 1, "extract": {"kind": "file", "upload": "u"}, "load": {"kind": "upsert", "key": ["id"]}}
    return msgspec.convert({**whole, **parts}, Definition)


def suggested(rows: Sequence[Item], **parts: Any) -> dict[str, Any]:
    definition = define(**parts)
    return suggest(definition, Pipeline(definition).preview(rows, 20))


def test_the_rows_of_an_answer_are_found_by_their_path() -> None:
    answer = {"data": {"items": [{"id": 1}, {"id": 2}], "tags": ["a"]}, "links": [{"next": "…"}]}
    assert suggested([answer])["paths"] == ["data.items", "links"]
    assert suggested([{"list": [{"id": 1}]}], decode={"path": "data"})["paths"] == ["data.list"]


@pytest.mark.parametrize("rows", [[], [{"id": 1}, {"id": 2, "lines": [{"n": 1}]}], [{"a.b": [{"id": 1}]}], [{"a": []}]])
def test_no_path_is_suggested_where_there_is_none_to_say(rows: list[Row]) -> None:
    assert suggested(rows)["paths"] == []


def test_members_can_be_flattened_and_lists_be_made_rows() -> None:
    rows: list[Row] = [{"id": 1, "at": {"x": 1}, "lines": [{"n": 1}]}, {"id": 2, "at": None, "lines": []}]
    found = suggested(rows)
    assert (found["flatten"], found["explode"]) == (True, ["lines"])
    done = suggested(rows, normalize={"explode": ["lines"]})
    assert (done["flatten"], done["explode"]) == (False, [])


def test_fields_that_tell_rows_apart_are_keys_the_likely_ones_first() -> None:
    rows = [
        {"name": "a", "price": 1.5, "sku": "x", "ID": 1, "group": "g", "empty": ""},
        {"name": "b", "price": 2.5, "sku": "y", "ID": 2, "group": "g", "empty": "e"},
    ]
    assert suggested(rows)["keys"] == ["ID", "sku", "name"]
    assert suggested([{"id": 1, **row} for row in rows])["keys"] == []
    assert suggested(rows[:1])["keys"] == []


def test_texts_get_the_type_that_all_of_them_fit() -> None:
    rows = [
        {"n": "1", "f": "1.5", "zip": "01234", "t": "2026-01-01T00:00:00Z", "b": "true", "mixed": "1", "typed": 1},
        {"n": "", "f": "2", "zip": "10115", "t": "2026-01-02 10:00:00", "b": "FALSE", "mixed": "x", "typed": 2},
    ]
    types = {field["to"]: field.get("type") for field in suggested(rows)["map"]}
    assert types == {
        **{"n": "integer", "f": "number", "zip": None, "t": "time", "b": "boolean", "mixed": None, "typed": None}
    }


@pytest.mark.parametrize(
    ("texts", "suggestion"),
    [
        (["2,50", "3"], {"type": "number", "decimal": ","}),
        (["1.234,56", "-0,5", ""], {"type": "number", "decimal": ","}),
        (["1\xa0234,567", "2,500"], {"type": "number", "decimal": ","}),
        (["1,234", "2,500"], {}),
        (["1,234.56", "2,500.00"], {}),
        (["2,50", "2.50"], {}),
        (["1 234", "030 123"], {}),
        (["1.234", "2.500"], {"type": "number"}),
        (["2,50", "on request"], {}),
    ],
)
def test_a_decimal_comma_is_suggested_where_nothing_else_can_be_meant(
    texts: list[str], suggestion: dict[str, str]
) -> None:
    [field] = suggested([{"price": text} for text in texts])["map"]
    assert field == {"to": "price", "from": "price", **suggestion}
    if suggestion:
        assert Pipeline(define(map=[field])).preview([{"price": text} for text in texts], 20)["rejected"] == []


def test_names_that_are_no_identifiers_are_quoted_and_made_plain() -> None:
    fields = suggested([{"-id": "a", "at.-x": "b", "at x": "c"}])["map"]
    assert [(field["to"], field["from"]) for field in fields] == [
        ("id", '"-id"'),
        ("at_x", '"at.-x"'),
        ("at x", '"at x"'),
    ]


def test_what_is_suggested_is_a_definition_that_maps_what_came() -> None:
    """As somebody does who presses one button after the other."""
    parts: dict[str, Any] = {}
    [whole] = decoded(PROVIDER.read_bytes(), format="xml")
    parts["decode"] = {"format": "xml", "path": suggested([whole])["paths"][0]}
    rows = decoded(PROVIDER.read_bytes(), **parts["decode"])
    assert suggested(rows, **parts)["flatten"]
    parts["normalize"] = {}
    parts["map"] = suggested(rows, **parts)["map"]
    steps = Pipeline(define(**parts)).preview(rows, 20)
    assert [row["base_event_id"] for row in steps["filtered"]] == [291, 1591, 444]
    assert steps["rejected"] == []
    assert suggested(rows, **parts)["keys"][0] == "base_event_id"
