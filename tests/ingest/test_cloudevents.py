"""CloudEvents 1.0 over HTTP in its three modes."""

from typing import Any

import orjson
import pytest

from ingest import cloudevents
from ingest.envelope import Limits, Parsed, StreamRules, parse
from ingest.errors import BadRequest

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "A1",
    "source": "/sensors/7",
    "type": "com.example.reading",
    "time": "2026-11-22T15:40:56Z",
}
BINARY = {f"ce-{name}".encode(): value.encode() for name, value in EVENT.items()}
RULES = StreamRules(key_path="other", time_path="-", type_path="-")


def structured(event: Any, content_type: str = cloudevents.ONE) -> Parsed:
    return parse(orjson.dumps(event), content_type, {}, RULES, Limits())


def binary(body: bytes, content_type: str, **headers: str) -> Parsed:
    extra = {f"ce-{name}".encode(): value.encode() for name, value in headers.items()}
    return parse(body, content_type, {**BINARY, b"host": b"localhost", **extra}, RULES, Limits())


def test_a_structured_event_is_stored_as_it_was_posted() -> None:
    body = b'{ "data" : {"x": 1.50}, ' + orjson.dumps(EVENT)[1:]
    parsed = parse(body, "application/cloudevents+json; charset=utf-8", {}, RULES, Limits())
    assert parsed.events == [("/sensors/7 A1", EVENT["type"], "2026-11-22T15:40:56.000000+00:00", body)]
    assert parsed.single


def test_a_batch_is_an_array_of_events() -> None:
    parsed = structured([EVENT, {**EVENT, "id": ""}, {**EVENT, "id": "A3"}], cloudevents.BATCH)
    assert [event[0] for event in parsed.events] == ["/sensors/7 A1", "/sensors/7 A3"]
    assert [(rejection.index, rejection.code) for rejection in parsed.rejections] == [(1, "invalid_cloudevent")]


def test_a_batch_that_is_no_array_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        structured(EVENT, cloudevents.BATCH)
    assert caught.value.code == "not_an_array"


def test_an_array_is_no_structured_event() -> None:
    assert structured([EVENT]).rejections[0].code == "not_an_object"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", 1.0),
        ("id", ""),
        ("id", 5),
        ("source", None),
        ("source", "a b"),
        ("source", " a"),
        ("source", "a\n"),
        ("source", "a\u00a0b"),
        ("type", []),
    ],
)
def test_a_required_attribute_is_named_when_it_is_wrong(attribute: str, value: Any) -> None:
    (rejection,) = structured({**EVENT, attribute: value}).rejections
    assert rejection.code == "invalid_cloudevent"
    assert attribute in rejection.detail


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type"])
def test_a_required_attribute_is_named_when_it_is_missing(attribute: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != attribute}
    assert attribute in structured(event).rejections[0].detail


def test_a_key_that_does_not_fit_is_refused() -> None:
    assert structured({**EVENT, "id": "i" * 250}).rejections[0].code == "key_too_long"


def test_a_binary_event_becomes_a_structured_one() -> None:
    parsed = binary(b'{"x": 1.50}', "application/json", traceid="t-1")
    assert parsed.single
    ((key, type_, time, payload),) = parsed.events
    assert (key, type_, time) == ("/sensors/7 A1", EVENT["type"], "2026-11-22T15:40:56.000000+00:00")
    assert payload.endswith(b',"data":{"x": 1.50}}')
    data = {"datacontenttype": "application/json", "traceid": "t-1", "data": {"x": 1.5}}
    assert orjson.loads(payload) == {**EVENT, **data}


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"[1]", "application/vnd.acme+json; v=1", {"data": [1]}),
        (b"5", "", {"data": 5}),
        ("grün".encode(), "text/plain; charset=utf-8", {"data": "grün"}),
        (b"gr\xfcn", "text/plain; charset=latin-1", {"data_base64": "Z3L8bg=="}),
        (b"gr\xfcn", "text/plain", {"data_base64": "Z3L8bg=="}),
        (b"\x00\x01", "application/octet-stream", {"data_base64": "AAE="}),
        (b"", "application/octet-stream", {}),
    ],
)
def test_binary_data_follow_their_content_type(body: bytes, content_type: str, expected: dict[str, Any]) -> None:
    event = orjson.loads(binary(body, content_type).events[0][3])
    assert {name: value for name, value in event.items() if name.startswith("data_") or name == "data"} == expected
    assert event.get("datacontenttype", "") == content_type


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ('"a \\"b\\" c"', 'a "b" c'),
        ("100%25", "100%"),
        ("a%2", "a%2"),
    ],
)
def test_headers_are_percent_decoded_once(header: str, value: str) -> None:
    assert orjson.loads(binary(b"1", "", note=header).events[0][3])["note"] == value


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"id": "%00"}, "nul_character"),
        ({"note": "%FF"}, "invalid_cloudevent"),
        ({"data": "x"}, "invalid_cloudevent"),
        ({"data_base64": "x"}, "invalid_cloudevent"),
        ({"specversion": "2.0"}, "invalid_cloudevent"),
        ({"source": "a%20b"}, "invalid_cloudevent"),
    ],
)
def test_binary_attributes_that_are_wrong_are_refused(headers: dict[str, str], code: str) -> None:
    assert binary(b"{}", "application/json", **headers).rejections[0].code == code


@pytest.mark.parametrize("body", [b'1,"id":"other"', b"{}}{", b"NULL"])
def test_binary_data_must_be_json_by_themselves(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        binary(body, "application/json")
    assert caught.value.code == "malformed_json"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a":"\\u0000"}', "nul_character"),
        (b'["\\ud800"]', "lone_surrogate"),
        (b"[NaN]", "number_not_finite"),
        (b"1e400", "number_out_of_range"),
        (b"[" * 64 + b"]" * 64, "too_deep"),
    ],
)
def test_binary_data_are_checked_like_any_payload(body: bytes, code: str) -> None:
    assert binary(body, "application/json").rejections[0].code == code
