"""Conditions on jsonb: PostgreSQL finds what the words of the documentation say, and nothing that a client writes is
SQL."""

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.conditions import OPERATORS, Condition, InvalidCondition, parse, parse_words
from ingest.members import INDEXED_CHARACTERS
from tests.ingest.conditions import contains, exact, holds

pytestmark = pytest.mark.django_db

CHECKED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

names = st.sampled_from(["a", "b", "0", "1", "-1", "+0", " 1", "01", "Zoë", "%s", "'", "A b"])
texts = st.sampled_from(
    ["", "a", "b", "ab", "Ab", "Ä", "z", "\U0001f600", "\uffff", "12", "true", "null", "%", "'", '"', "2026-01-31"]
    + ["é" * (INDEXED_CHARACTERS + n) + end for n in (-1, 0, 1) for end in ("", "a", "z")]
)
numbers = st.sampled_from(["0", "-0", "1", "1.0", "1.00", "-1", "1e2", "100", "0.1", "1E-3", "12345678901234567890123"])
scalars = numbers | st.sampled_from(["true", "false", "null"]) | texts.map(json.dumps)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
        | st.dictionaries(names, inner, max_size=3).map(
            lambda parts: f"{{{','.join(f'{json.dumps(name)}:{value}' for name, value in parts.items())}}}"
        )
    ),
    max_leaves=6,
)
payloads = st.dictionaries(names, documents, min_size=1, max_size=3).map(
    lambda parts: f"{{{','.join(f'{json.dumps(name)}:{value}' for name, value in parts.items())}}}"
)


def found(condition: Condition, payload: str) -> bool:
    plain, for_index = condition.sql("p"), condition.sql("p", for_index=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {plain.text}, {for_index.text} FROM (SELECT %s::jsonb AS p) AS one",
            [*plain.parameters, *for_index.parameters, payload],
        )
        one, other = map(bool, cursor.fetchone())
    assert one is other
    return one


@CHECKED
@given(
    payloads,
    st.lists(names, min_size=1, max_size=3),
    st.sampled_from([name for name in OPERATORS if name != "exists"]),
    scalars | texts,
)
def test_a_condition_finds_what_it_says(payload: str, path: list[str], operator: str, text: str) -> None:
    name = f"payload.{'.'.join(path)}__{operator}"
    try:
        condition = parse(name, text, "payload")
    except InvalidCondition:
        assert operator in ("gt", "gte", "lt", "lte")
        assert text in ("true", "false", "null")
    else:
        assert found(condition, payload) is holds(exact(payload), path, operator, text)


listed_texts = st.sampled_from(["a", "Ä", "null", "true", "é" * INDEXED_CHARACTERS])


@CHECKED
@given(payloads, st.lists(names, min_size=1, max_size=3), st.lists(numbers | listed_texts, max_size=3))
def test_in_and_exists_find_what_they_say(payload: str, path: list[str], listed: list[str]) -> None:
    for operator, text in (("in", ",".join(listed)), ("exists", "true"), ("exists", "false")):
        condition = parse(f"payload.{'.'.join(path)}__{operator}", text, "payload")
        assert found(condition, payload) is holds(exact(payload), path, operator, text)


@CHECKED
@given(payloads, payloads)
def test_containment_finds_what_it_says(payload: str, other: str) -> None:
    assert found(parse("payload@", payload, "payload"), payload)
    assert found(parse("payload@", other, "payload"), payload) is contains(exact(payload), exact(other))


@CHECKED
@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(OPERATORS))
def test_whatever_is_written_is_refused_or_asked_without_an_error(name: str, text: str, operator: str) -> None:
    asked = [(f"payload.{name}__{operator}", text), (f"payload.{name}", text), ("payload@", text), ("q", text)]
    for one, written in asked:
        try:
            condition = parse_words(written) if one == "q" else parse(one, written, "payload")
        except InvalidCondition:
            continue
        assert found(condition, '{"a": "b"}') in (True, False)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("payload.a__gtt", "1", "no comparison; there are __eq"),
        ("payload.__name__", "x", "payload.__name____eq"),
        ("payload.a..b", "1", "single dots"),
        ("payload.", "1", "single dots"),
        ("payload.a__gt", "true", "neither a number nor a text"),
        ("payload.a__exists", "yes", "true or false"),
        ("payload@", "{a: 1}", "no JSON"),
        ("payload@", '{"a": 1e99999}', "no JSON"),
        ("payload@", '{"a": 1e-99999}', "beyond the numbers"),
        ("payload@", '{"a": "\\u0000"}', "U[+]0000"),
        ("payload@", "[" * 5000 + "]" * 5000, "no JSON"),
        ("payload.a", '"\\u0000"', "U[+]0000"),
        ("payload.a", "a\x00", "U[+]0000"),
        ("payload.a", "\ud800", "surrogate"),
        ("payload.a", "x" * 10_001, "more than 10000"),
        (f"payload.{'.'.join('a' * 65)}", "x", "more than 64"),
        ("payload.a__in", "," * 1000, "more than 1000"),
    ],
)
def test_what_makes_no_sense_is_explained(name: str, text: str, says: str) -> None:
    with pytest.raises(InvalidCondition, match=says):
        parse(name, text, "payload")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", "1"),
        ("a", "1.0"),
        ("code", '"12"'),
        ("odd__name__eq", "x"),
        ("a__in", '2,"1",1'),
        ("list__contains", "x, y"),
        ("list__contains", '"3"'),
        ("list__contains", "4"),
        ("code__contains", "2"),
        ("comma__in", 'x,"a,b"'),
        ("big", "12345678901234567890.5"),
        ("far", "1e4000"),
        ("none__exists", "true"),
        ("none", "null"),
        ("at__gte", "2026-01-31T11:59"),
    ],
)
def test_these_hold(name: str, text: str) -> None:
    payload: dict[str, Any] = {
        "a": 1, "code": "12", "odd__name": "x", "list": ["x, y", "3", 4], "comma": "a,b", "far": "1e4000", "none": None,
        "at": "2026-01-31T12:00:00Z",
    }  # fmt: skip
    text_of_it = json.dumps(payload)[:-1] + ', "big": 12345678901234567890.50}'
    assert found(parse(f"payload.{name}", text, "payload"), text_of_it)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("pump", True), ("PUMP leak", True), ('"oil leak"', True), ('"leak oil"', False), ("pump -oil", False),
     ("valve or pump", True), ("pum", False), ("site", False), ("7", False), ("!&|():*'", False)],
)  # fmt: skip
def test_words_are_found_in_texts_at_any_depth_and_not_in_names_or_numbers(words: str, expected: bool) -> None:
    payload = {"site": 7, "notes": [{"text": "Main pump"}, "an oil leak"]}
    assert found(parse_words(words), json.dumps(payload)) is expected


def test_an_enormous_payload_is_no_error_for_words() -> None:
    payload = json.dumps({"a": "two\nlines", "text": " ".join(f"{n:05x}" for n in range(160_000))})
    assert found(parse_words("two lines 00001"), payload)
    assert not found(parse_words("haystack"), payload)
    with pytest.raises(InvalidCondition, match="500"):
        parse_words("x" * 501)
