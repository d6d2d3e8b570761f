"""Request bodies read into events: one object, an array, a batch, lines, CloudEvents.

Two ways lead to the same answer. The fast one lets orjson read the whole body at once. When that refuses it, the body
is split into its elements, and each is read by itself, so that one bad event costs its neighbours nothing.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import orjson

from ingest import cloudevents
from ingest.errors import BadRequest, TooManyEvents, UnsupportedMediaType
from ingest.fields import Reader, reader
from ingest.payload import (
    BLANK,
    Limits,
    Refused,
    check,
    describe,
    end_of_value,
    harmless_bytes,
    is_doubtful,
    read,
    skip_blank,
)

__all__ = [
    "Event",
    "Limits",
    "Parsed",
    "Rejection",
    "SchemaValidator",
    "StreamRules",
    "parse",
    "read_header_key",
]

Event = tuple[str | None, str | None, str | None, bytes]
"""Key, type, time (RFC 3339 in UTC), and the event's own bytes as they were posted."""

Form = Literal["any", "one", "array", "lines"]

LINES = ("x-ndjson", "ndjson", "jsonl", "x-jsonlines", "json-lines")
FORMS: dict[str, Form] = {
    "": "any",
    "application/json": "any",
    "text/json": "any",
    cloudevents.ONE: "one",
    cloudevents.BATCH: "array",
    **{f"application/{name}": "lines" for name in LINES},
    "text/x-ndjson": "lines",
    "text/ndjson": "lines",
}
_header_key = re.compile(r'"([!#-\[\]-~]{1,255})"|([!#-~][!-~]{0,254})')
_charset = re.compile(r';\s*charset\s*=\s*"?([^\s;"]*)', re.IGNORECASE)
_array_of_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
_batch_of_raw = msgspec.json.Decoder(dict[str, list[msgspec.Raw]]).decode


class SchemaError(Protocol):
    @property
    def message(self) -> str: ...
    @property
    def instance_path(self) -> Sequence[str | int]: ...


class SchemaValidator(Protocol):
    """A compiled JSON Schema, as jsonschema_rs.validator_for gives it."""

    def is_valid(self, instance: Any) -> bool: ...
    def iter_errors(self, instance: Any) -> Iterable[SchemaError]: ...


@dataclass(frozen=True, slots=True)
class StreamRules:
    """Where a stream keeps key, time and type in its events (paths: payload.reader), and the schema they follow."""

    key_path: str = ""
    time_path: str = ""
    type_path: str = ""
    validator: SchemaValidator | None = None
    schema_mode: str = "off"  # or warn, enforce


class Rejection(NamedTuple):
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls on it
    code: str
    detail: str


@dataclass(slots=True)
class Parsed:
    """What a body held. `indexes`: the accepted events' places in the request, None when none was rejected.

    `single`: the body was one object, neither array nor batch nor lines.
    """

    events: list[Event] = field(default_factory=list)
    indexes: list[int] | None = None
    rejections: list[Rejection] = field(default_factory=list)
    warnings: list[Rejection] = field(default_factory=list)
    single: bool = False


class _Document(NamedTuple):
    """A body taken apart; a value that could not be read is the Refused that says why."""

    body: bytes
    values: Sequence[Any]
    payloads: Sequence[bytes]
    single: bool = False


def parse(
    body: bytes,
    content_type: str,
    headers: Mapping[bytes, bytes],
    rules: StreamRules,
    limits: Limits,
    header_key: str | None = None,
) -> Parsed:
    """The events of a body, and those that are refused. `headers` have lower-case names; `header_key` is the
    Idempotency-Key.

    Raises BadRequest, TooManyEvents, UnsupportedMediaType.
    """
    key = None if header_key is None else read_header_key(header_key)
    media_type, charset = split_content_type(content_type)
    fields = reader(rules.key_path, rules.type_path, rules.time_path)
    if media_type.startswith("application/cloudevents") or b"ce-specversion" in headers:
        fields = cloudevents.read_fields
    if b"ce-specversion" in headers and not media_type.startswith("application/cloudevents"):
        document = _compose(body, content_type, headers, limits)
    else:
        document = _take_apart(body, _form_of(media_type, charset), limits)
    parsed = _accept(document, fields, rules, limits)
    return parsed if key is None else _with_key(parsed, key)


def read_header_key(text: str) -> str:
    """The key in an Idempotency-Key header, bare or quoted. Raises BadRequest."""
    match = _header_key.fullmatch(text.strip())
    if match is None:
        raise BadRequest(
            "invalid_idempotency_key",
            "Idempotency-Key must be 1 to 255 visible ASCII characters, without spaces.",
        )
    return match[1] or match[2]


def _with_key(parsed: Parsed, key: str) -> Parsed:
    if len(parsed.events) + len(parsed.rejections) > 1:
        raise BadRequest(
            "idempotency_key_on_batch",
            "The Idempotency-Key header names one event; put the keys of several into them.",
        )
    parsed.events = [(key, type_, time, payload) for _, type_, time, payload in parsed.events]
    return parsed


@lru_cache(maxsize=256)
def split_content_type(content_type: str) -> tuple[str, str]:
    """Media type and charset, in lower case, "" where absent."""
    match = _charset.search(content_type)
    return content_type.partition(";")[0].strip().lower(), match[1].lower() if match else ""


def _form_of(media_type: str, charset: str) -> Form:
    form = FORMS.get(media_type)
    if form is None:
        known = ", ".join(sorted(filter(None, FORMS)))
        raise UnsupportedMediaType(f"{media_type[:100]!r} is not taken here. Send one of: {known}.")
    if charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMediaType(
            f"The charset {charset[:40]!r} is not taken here. Send UTF-8.", code="unsupported_charset"
        )
    return form


def _accept(document: _Document, fields: Reader, rules: StreamRules, limits: Limits) -> Parsed:
    body, values, payloads, single = document
    parsed = Parsed(single=single)
    events, rejections = parsed.events, parsed.rejections
    doubtful = is_doubtful(body, limits)
    harmless = harmless_bytes(body, list(map(type, values)).count(dict), limits)
    validator = None if rules.schema_mode == "off" else rules.validator
    for index, (value, payload) in enumerate(zip(values, payloads, strict=True)):
        try:
            if doubtful or type(value) is not dict or len(payload) > harmless:
                if type(value) is Refused:
                    raise value
                check(value, payload, doubtful, limits)
            key, type_, time = fields(value)
            if validator is not None and not validator.is_valid(value):
                _apply_schema(validator, value, index, rules, parsed)
        except Refused as refusal:
            rejections.append(Rejection(index, refusal.code, refusal.detail))
        else:
            events.append((key, type_, time, payload))
    if rejections:
        refused = {rejection.index for rejection in rejections}
        parsed.indexes = [index for index in range(len(values)) if index not in refused]
    return parsed


def _apply_schema(validator: SchemaValidator, value: Any, index: int, rules: StreamRules, parsed: Parsed) -> None:
    error = next(iter(validator.iter_errors(value)))
    place = "".join(f"/{step}" for step in error.instance_path) or "the event"
    refusal = Refused("schema_violation", f"{place}: {error.message}"[:500])
    if rules.schema_mode == "enforce":
        raise refusal
    parsed.warnings.append(Rejection(index, refusal.code, refusal.detail))


# Taking bodies apart


def _take_apart(body: bytes, form: Form, limits: Limits) -> _Document:
    try:
        if form == "lines":
            return _lines(body, limits)
        value = orjson.loads(body)
        is_batch = form == "any" and type(value) is dict and len(value) == 1 and type(value.get("batch")) is list
        if is_batch:
            _check_count(len(value["batch"]), limits)
            return _Document(body, value["batch"], list(map(bytes, _batch_of_raw(body)["batch"])))
        if type(value) is list and form != "one":
            _check_count(len(value), limits)
            return _Document(body, value, list(map(bytes, _array_of_raw(body))))
    except (orjson.JSONDecodeError, msgspec.DecodeError, RecursionError):
        return _take_apart_closely(body, form, limits)
    _require_array(form)
    return _Document(body, [value], [body.strip(BLANK)], single=True)


def _compose(body: bytes, content_type: str, headers: Mapping[bytes, bytes], limits: Limits) -> _Document:
    media_type, charset = split_content_type(content_type)
    try:
        payload = cloudevents.compose(body, content_type, media_type, charset, headers, limits)
    except Refused as refusal:
        if refusal.code in ("malformed_json", "invalid_utf8"):
            raise BadRequest(refusal.code, refusal.detail) from None
        return _Document(body, [refusal], [body], single=True)
    return _Document(payload, [orjson.loads(payload)], [payload], single=True)


def _lines(body: bytes, limits: Limits) -> _Document:
    """Each line is read by itself: joined, some that are no JSON would become it."""
    _check_start(body)
    lines = [stripped for line in body.split(b"\n") if (stripped := line.strip(BLANK))]
    _check_count(len(lines), limits)
    try:
        values = list(map(orjson.loads, lines))
    except orjson.JSONDecodeError:
        values = [_read_or_refusal(line, limits) for line in lines]
    return _Document(body, values, lines)


def _take_apart_closely(body: bytes, form: Form, limits: Limits) -> _Document:
    """The same for a body that the fast way refused."""
    _check_start(body)
    try:
        text = body.decode()
        start = skip_blank(text, 0)
        elements = None if form == "one" else _elements(text, start, form, limits)
        if elements is None:
            _require_array(form)
            _check_end(text, end_of_value(text, start))
            payloads = [body.strip(BLANK)]
        else:
            payloads = [element.encode() for element in elements]
            _check_count(len(payloads), limits)
    except UnicodeDecodeError as error:
        raise BadRequest("invalid_utf8", f"Byte {error.start} of the body is not UTF-8: {error.reason}.") from None
    except json.JSONDecodeError as error:
        raise BadRequest("malformed_json", describe(error)) from None
    values = [_read_or_refusal(payload, limits) for payload in payloads]
    return _Document(body, values, payloads, single=elements is None)


def _read_or_refusal(raw: bytes, limits: Limits) -> Any:
    try:
        return read(raw, limits)
    except Refused as refusal:
        return refusal


def _elements(text: str, start: int, form: Form, limits: Limits) -> list[str] | None:
    """The elements of an array or batch, None when the body is neither. Raises json.JSONDecodeError."""
    if text[start] == "[":
        elements, end = _split(text, start, limits)
        _check_end(text, end)
        return elements
    opening = _opening_of_batch(text, start) if form == "any" else None
    if opening is None:
        return None
    elements, end = _split(text, opening, limits)
    end = skip_blank(text, end)
    if text[end : end + 1] != "}":
        return None
    _check_end(text, end + 1)
    return elements


def _opening_of_batch(text: str, start: int) -> int | None:
    """Where the array of `{"batch": [` opens, if the text begins so."""
    position = skip_blank(text, start + 1)
    if text[start] != "{" or text[position : position + 1] != '"':
        return None
    name, end = json.JSONDecoder().raw_decode(text, position)
    colon = skip_blank(text, end)
    opening = skip_blank(text, colon + 1)
    return (
        opening if name == "batch" and text[colon : colon + 1] == ":" and text[opening : opening + 1] == "[" else None
    )


def _split(text: str, opening: int, limits: Limits) -> tuple[list[str], int]:
    """The elements of the array opening there, and its end. Raises json.JSONDecodeError, TooManyEvents."""
    elements: list[str] = []
    position = skip_blank(text, opening + 1)
    if text[position : position + 1] == "]":
        return elements, position + 1
    while True:
        end = end_of_value(text, position)
        elements.append(text[position:end])
        if len(elements) > limits.max_events:
            raise _too_many(f"more than {limits.max_events}", limits)
        mark = skip_blank(text, end)
        if text[mark : mark + 1] == "]":
            return elements, mark + 1
        if text[mark : mark + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' or ']'", text, mark)
        position = skip_blank(text, mark + 1)


def _check_start(body: bytes) -> None:
    if body.startswith(b"\xef\xbb\xbf"):
        raise BadRequest("byte_order_mark", "The body begins with a byte order mark (EF BB BF); send UTF-8 without it.")
    if not body.strip(BLANK):
        raise BadRequest("empty_body", "The body is empty; send at least one JSON object.")


def _check_end(text: str, end: int) -> None:
    end = skip_blank(text, end)
    if end < len(text):
        raise json.JSONDecodeError("Unexpected text after the document", text, end)


def _require_array(form: Form) -> None:
    if form == "array":
        raise BadRequest("not_an_array", f"{cloudevents.BATCH} is a JSON array of events.")


def _check_count(count: int, limits: Limits) -> None:
    if count == 0:
        raise BadRequest("no_events", "There is no event in the body; send at least one.")
    if count > limits.max_events:
        raise _too_many(str(count), limits)


def _too_many(count: str, limits: Limits) -> TooManyEvents:
    return TooManyEvents(f"The body has {count} events; send at most {limits.max_events} at once.")
