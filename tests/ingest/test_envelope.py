"""Bodies of every form and what is read from them; what a body as a whole is refused for."""

import time
from contextlib import suppress

import jsonschema_rs
import pytest

from ingest.envelope import Limits, Parsed, StreamRules, parse, read_header_key
from ingest.errors import BadRequest, IngestError, TooManyEvents, UnsupportedMediaType

LINES = "application/x-ndjson"


def parse_as(body: bytes, content_type: str = "application/json", **limits: int) -> Parsed:
    return parse(body, content_type, {}, StreamRules(), Limits(**limits))


def payloads(parsed: Parsed) -> list[bytes]:
    return [event[3] for event in parsed.events]


def test_one_object_is_one_event_as_it_was_posted() -> None:
    parsed = parse_as(b' \n{"id": 1.50, "id":7 , "type":"t"}\r\n')
    assert parsed.events == [("7", "t", None, b'{"id": 1.50, "id":7 , "type":"t"}')]
    assert parsed.single
    assert parsed.indexes is None


@pytest.mark.parametrize("body", [b'[ {"a": 1} ,\n{"b":2}]', b'{"batch": [{"a": 1},{"b":2}\n] }'])
def test_an_array_and_a_batch_hold_events(body: bytes) -> None:
    parsed = parse_as(body)
    assert payloads(parsed) == [b'{"a": 1}', b'{"b":2}']
    assert not parsed.single


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch":1}',
        b'{"batch":[1],"more":2}',
        b'{"batch":{"a":1}}',
        b'{"a":{"batch":[]}}',
        b'{"batch":[1],"batch":2}',
    ],
)
def test_an_object_that_is_no_batch_is_one_event(body: bytes) -> None:
    assert payloads(parse_as(body)) == [body]


def test_an_object_that_begins_like_a_batch_is_one_event_on_the_close_look_too() -> None:
    parsed = parse_as(b'{"batch":[{"a":NaN}],"more":2}')
    assert parsed.single
    assert parsed.rejections[0].code == "number_not_finite"


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "text/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
def test_json_may_be_called_so(content_type: str) -> None:
    assert payloads(parse_as(b'{"a":1}', content_type)) == [b'{"a":1}']


@pytest.mark.parametrize(
    "content_type", [LINES, "application/ndjson", "application/jsonl", "application/x-jsonlines", "text/x-ndjson"]
)
def test_lines_hold_an_event_each(content_type: str) -> None:
    assert payloads(parse_as(b'\r\n{"a":1}\r\n\n  \n {"b":2} \n', content_type)) == [b'{"a":1}', b'{"b":2}']


def test_each_line_stands_alone() -> None:
    parsed = parse_as(b'{"a":1},{"b":2}\n{"c":1\n"d":2}\n{"e":[1\n2]}\n{"f":1}', LINES)
    assert payloads(parsed) == [b'{"f":1}']
    assert parsed.indexes == [5]
    assert [rejection.index for rejection in parsed.rejections] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", "application/json", "empty_body"),
        (b" \r\n", "application/json", "empty_body"),
        (b"", LINES, "empty_body"),
        (b"\n\n", LINES, "empty_body"),
        (b"[]", "application/json", "no_events"),
        (b'{"batch":[ ]}', "application/json", "no_events"),
        (b'\xef\xbb\xbf{"a":1}', "application/json", "byte_order_mark"),
        (b'\xef\xbb\xbf{"a":1}', LINES, "byte_order_mark"),
        (b'[{"a":1},{"b":"\xff"}]', "application/json", "invalid_utf8"),
        (b"[" * 100_000, "application/json", "malformed_json"),
        (b'{"a":' * 100_000, "application/json", "malformed_json"),
        (b'{"a":1}{"b":2}', "application/json", "malformed_json"),
        (b'{"a":1}\x00', "application/json", "malformed_json"),
        (b'[{"a":1},]', "application/json", "malformed_json"),
        (b'[{"a":1} {"b":2}]', "application/json", "malformed_json"),
        (b'{"batch":[{"a":NaN}]} x', "application/json", "malformed_json"),
        (b'{"batch"', "application/json", "malformed_json"),
        ('{"a":1}'.encode("utf-16-le"), "application/json", "malformed_json"),
        ('{"a":1}'.encode("utf-16"), "application/json", "invalid_utf8"),
    ],
)
def test_a_body_that_holds_no_events_says_why(body: bytes, content_type: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_as(body, content_type)
    assert (caught.value.status, caught.value.code) == (400, code)


def test_malformed_json_is_pointed_at() -> None:
    with pytest.raises(BadRequest, match=r"at byte 12 \(line 2, column 6\)"):
        parse_as('["é",\n{"a":}]'.encode())


@pytest.mark.parametrize("body", [b"[{},{},{}]", b'{"batch":[{},{},{}]}', b"[{},{},NaN]"])
def test_more_events_than_allowed_are_refused_together(body: bytes) -> None:
    with pytest.raises(TooManyEvents, match="at most 2 ") as caught:
        parse_as(body, max_events=2)
    assert caught.value.status == 413
    with pytest.raises(TooManyEvents):
        parse_as(b"{}\n{}\n{}", LINES, max_events=2)


@pytest.mark.parametrize(
    ("content_type", "code"),
    [("text/plain", "unsupported_media_type"), ("application/json; charset=latin-1", "unsupported_charset")],
)
def test_other_types_are_refused_with_what_is_taken(content_type: str, code: str) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        parse_as(b'{"a":1}', content_type)
    assert (caught.value.status, caught.value.code) == (415, code)


@pytest.mark.parametrize(("header", "key"), [("abc", "abc"), ('"abc"', "abc"), ("a" * 255, "a" * 255), ('a"b', 'a"b')])
def test_the_header_names_the_key_of_one_event(header: str, key: str) -> None:
    parsed = parse(b'[{"id":"own"}]', "", {}, StreamRules(), Limits(), header)
    assert parsed.events[0][0] == key


@pytest.mark.parametrize("header", ["", '""', "a b", "é", "a" * 256, "a\tb", '"', '"abc'])
def test_a_header_that_is_no_key_is_refused(header: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_header_key(header)
    assert caught.value.code == "invalid_idempotency_key"


@pytest.mark.parametrize("body", [b"[{},{}]", b"[{},1]"])
def test_the_header_cannot_name_several_events(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(body, "", {}, StreamRules(), Limits(), "abc")
    assert caught.value.code == "idempotency_key_on_batch"


@pytest.mark.parametrize(("mode", "taken"), [("off", 2), ("warn", 2), ("enforce", 1)])
def test_a_schema_is_ignored_warned_of_or_enforced(mode: str, taken: int) -> None:
    schema = {"properties": {"a": {"items": {"type": "number"}}}}
    rules = StreamRules(validator=jsonschema_rs.validator_for(schema), schema_mode=mode)
    parsed = parse(b'[{"a":[1]},{"a":[1,"x"]}]', "", {}, rules, Limits())
    assert len(parsed.events) == taken
    found = {"off": [], "warn": parsed.warnings, "enforce": parsed.rejections}[mode]
    assert [(entry.index, entry.code) for entry in found] == ([] if mode == "off" else [(1, "schema_violation")])
    assert all(entry.detail.startswith("/a/1: ") for entry in found)


def test_nesting_is_found_among_elements_that_are_no_objects() -> None:
    deep = b'{"a":' + b"[" * 64 + b"]" * 64 + b"}"
    parsed = parse_as(b"[" + b"1," * 200 + deep + b"]")
    assert parsed.rejections[-1][:2] == (200, "too_deep")


@pytest.mark.parametrize(
    "unit",
    [b"[", b'{"a":', b'["",', b"[1,", b"1", b'"\\u0000",', b'{"a":NaN},', b'{"a":1e-400},', b'"\\"', b"[],", b"\\"],
)
def test_hostile_bodies_cost_in_proportion_to_their_size(unit: bytes) -> None:
    """Two megabytes take about 0.2 seconds; work that grew with the square would take minutes."""
    started = time.process_time()
    with suppress(IngestError):
        parse_as(b"[" + unit * (2_000_000 // len(unit)) + b"0]")
    assert time.process_time() - started < 5
