"""Whatever is accepted can be stored in PostgreSQL and read back equal, in whatever company it came."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.envelope import Limits, Parsed, StreamRules, parse
from ingest.errors import IngestError
from ingest.payload import copy_text

LIMITS = Limits(max_event_bytes=4000, max_depth=8, max_digits=50, max_key_length=20)
CHECKED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

blanks = st.sampled_from(["", "", "", " ", "\n", "\t\r\n"])
digits = st.text("0123456789", max_size=60)
escapes = st.sampled_from(
    ["\\n", "\\/", '\\"', "\\\\", "\\u0000", "\\u0001", "\\u00e9", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\\\u0000"]
)
characters = st.one_of(st.characters(exclude_categories=["Cs"]), escapes, st.sampled_from("[]{},:eE+-0"))
strings = st.lists(characters, max_size=12).map(lambda parts: f'"{"".join(parts)}"')
exponents = st.builds(
    "{}{}{}{}".format,
    st.sampled_from("eE"),
    st.sampled_from(["", "+", "-"]),
    st.sampled_from(["", "00"]),
    st.integers(0, 320) | st.integers(0, 10**30),
)
numbers = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    st.sampled_from(["0", "1"]) | st.integers(0, 10**60).map(str),
    st.just("") | digits.map(lambda text: f".{text}0"),
    st.just("") | exponents,
)
scalars = st.one_of(strings, numbers, st.sampled_from(["true", "false", "null", "NaN", "Infinity", "-Infinity"]))


def arrays_and_objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    element = st.builds("{}{}{}".format, blanks, values, blanks)
    member = st.builds("{}{}{}:{}".format, blanks, strings, blanks, element)
    return st.lists(element, max_size=4).map(lambda parts: f"[{','.join(parts)}]") | st.lists(member, max_size=4).map(
        lambda parts: f"{{{','.join(parts)}}}"
    )


values = st.recursive(scalars, arrays_and_objects, max_leaves=8)
nested = st.builds(lambda depth, value: "[" * depth + value + "]" * depth, st.integers(0, 10), values)
events = st.builds(
    '{{"id":{},"é":{}{},{}:{}}}'.format, strings | numbers, blanks, nested, strings | st.just('"id"'), values
)
mutations = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 2), st.integers(0, 255)), max_size=2)


def mutate(text: str, changes: list[tuple[int, int, int]]) -> bytes:
    raw = bytearray(text.encode())
    for place, removed, byte in changes:
        start = place % (len(raw) + 1)
        raw[start : start + removed] = bytes([byte])
    return bytes(raw)


documents = st.builds(mutate, events, st.just([]) | mutations)


@pytest.fixture(scope="module")
def jsonb_connection(postgres_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE stored (place serial, payload jsonb)")
        yield connection


def parse_as(body: bytes, content_type: str) -> Parsed:
    return parse(body, content_type, {}, StreamRules(), LIMITS)


def exact(text: str | bytes) -> Any:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def assert_stored_equal(connection: psycopg.Connection, payloads: list[bytes]) -> None:
    connection.execute("TRUNCATE stored")
    with connection.cursor().copy("COPY stored (payload) FROM STDIN") as copy:
        for payload in payloads:
            copy.write(copy_text(payload) + b"\n")
    stored = connection.execute("SELECT payload::text FROM stored ORDER BY place").fetchall()
    assert [exact(text) for (text,) in stored] == [exact(payload) for payload in payloads]


@CHECKED
@given(st.lists(documents, min_size=1, max_size=8))
def test_what_is_accepted_is_stored_and_read_back_equal(
    jsonb_connection: psycopg.Connection, lines: list[bytes]
) -> None:
    try:
        parsed = parse_as(b"\n".join(lines), "application/x-ndjson")
    except IngestError:
        return
    assert_stored_equal(jsonb_connection, [payload for *_, payload in parsed.events])


@CHECKED
@given(st.lists(documents, min_size=1, max_size=4))
def test_an_array_or_batch_that_is_accepted_is_stored_and_read_back_equal(
    jsonb_connection: psycopg.Connection, elements: list[bytes]
) -> None:
    array = b"[" + b",".join(elements) + b"]"
    for body in (array, b'{"batch":' + array + b"}", elements[0]):
        try:
            parsed = parse_as(body, "application/json")
        except IngestError:
            continue
        assert_stored_equal(jsonb_connection, [payload for *_, payload in parsed.events])


@CHECKED
@given(st.lists(events.filter(lambda text: "\n" not in text), min_size=1, max_size=4))
def test_an_event_fares_the_same_alone_in_lines_and_in_an_array(texts: list[str]) -> None:
    elements = [text.encode() for text in texts]
    try:
        alone = [outcome(parse_as(element, "application/json")) for element in elements]
    except IngestError:
        return
    parsed_lines = parse_as(b"\n".join(elements), "application/x-ndjson")
    parsed_array = parse_as(b"[" + b",".join(elements) + b"]", "application/json")
    assert [codes for (codes,) in alone] == outcome(parsed_lines) == outcome(parsed_array)


def outcome(parsed: Parsed) -> list[str]:
    """For each event of the request "accepted" or the code of its rejection."""
    codes = {rejection.index: rejection.code for rejection in parsed.rejections}
    count = len(parsed.events) + len(parsed.rejections)
    assert parsed.indexes in (None, [index for index in range(count) if index not in codes])
    return [codes.get(index, "accepted") for index in range(count)]
