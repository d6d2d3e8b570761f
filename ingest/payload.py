"""An event's payload: what it may be.

A payload is a JSON object that PostgreSQL stores as `jsonb` and gives back equal. orjson checks the grammar, UTF-8
and lone surrogates. What it lets through and jsonb does not keep, or keeps at a price (a NUL, a number of many digits
or with a far exponent, deep nesting, endless member names), leaves a trace in the text: one scan for traces tells
whether anything must be looked at closely, so the common event pays next to nothing.
"""

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from math import isinf
from typing import Any

import orjson

BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may hold.

    `max_depth` counts the event itself as 1; `max_key_length` the bytes of a member's name as written.
    """

    max_event_bytes: int = 1_048_576
    max_body_bytes: int = 20_971_520
    max_events: int = 10_000
    max_depth: int = 64
    max_digits: int = 1000
    max_key_length: int = 1024

    @property
    def doubtful_digits(self) -> bytes:
        """A number that is too long, or below 1e-308 without a far exponent, has a run of so many digits."""
        return b"0" * max(1, min(200, self.max_digits - 1))


class Refused(Exception):
    """One event that is not taken; its neighbours may be."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


# Reading

# Takes all that Python's json takes, and numbers as text: it finds where a value ends and what a stricter parser
# minded.
_lenient = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_blank_text = re.compile(r"[ \t\r\n]*")
_brackets = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]+|[\]}]+', re.DOTALL)


def read(raw: bytes, limits: Limits) -> Any:
    """The value of one JSON document. Raises Refused where orjson does not take it, with the reason."""
    if len(raw) > limits.max_event_bytes:
        raise _too_large(raw, limits)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _refusal(raw, limits, str(error)) from None


def _refusal(raw: bytes, limits: Limits, reason: str) -> Refused:
    try:
        text = raw.decode()
        end = skip_blank(text, end_of_value(text, skip_blank(text, 0)))
    except UnicodeDecodeError as error:
        return Refused("invalid_utf8", f"Byte {error.start} is not UTF-8: {error.reason}.")
    except json.JSONDecodeError as error:
        return Refused("malformed_json", describe(error))
    if end < len(text):
        return Refused("malformed_json", describe(json.JSONDecodeError("Unexpected text after the value", text, end)))
    try:
        inspect(raw.strip(BLANK), limits)
    except Refused as refusal:
        return refusal
    return Refused("malformed_json", reason)


def describe(error: json.JSONDecodeError) -> str:
    byte = len(error.doc[: error.pos].encode())
    return f"{error.msg} at byte {byte} (line {error.lineno}, column {error.colno})."


def skip_blank(text: str, position: int) -> int:
    match = _blank_text.match(text, position)
    return match.end() if match else position


def end_of_value(text: str, start: int) -> int:
    """Where the JSON value that begins at `start` ends, however deep it is. Raises json.JSONDecodeError.

    Of a value too deep for a parser (about 1,000 levels) only strings and brackets are looked at.
    """
    try:
        return _lenient.raw_decode(text, start)[1]
    except RecursionError:
        return _end_by_brackets(text, start)


def _end_by_brackets(text: str, start: int) -> int:
    depth = 0
    for match in _brackets.finditer(text, start):
        token = match[0]
        if token[0] in "[{":
            depth += len(token)
        elif token[0] != '"':
            depth -= len(token)
            if depth <= 0:
                return match.end() + depth
    raise json.JSONDecodeError("A bracket is never closed", text, start)


# Checking


def _classes(**characters: str) -> bytes:
    """A translation table: each of the characters becomes the first of its class, all others x."""
    table = bytearray(b"x" * 256)
    for members in characters.values():
        for member in members.encode():
            table[member] = ord(members[0])
    return bytes(table)


_number_classes = _classes(digit="0123456789.", exponent="eE", before=":,[ \t\r\n")
_far_exponent = re.compile(rb":0+e000")
_only_numbers = bytes(byte if byte in b"0123456789+-.eE" else 32 for byte in range(256))
_steps = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # 1 and -1 as signed bytes
_all_but_brackets = bytes(set(range(256)) - set(b"[]{}"))
_lone_surrogate = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]", re.DOTALL
)


def is_doubtful(text: bytes, limits: Limits) -> bool:
    """False only if no event in this text, which orjson took, has a NUL or a number to look at."""
    if b"\\" in text and b"\\u0000" in text:
        return True
    plain = text.translate(_number_classes, b"+-")
    return limits.doubtful_digits in plain or (b"e000" in plain and _far_exponent.search(plain) is not None)


def harmless_bytes(text: bytes, objects: int, limits: Limits) -> int:
    """An event of at most so many bytes is not too large, nor too deep, and no name in it too long.

    Brackets need bytes; and where the whole text has hardly more of them than it has events, no event has many.
    """
    few_brackets = text.count(b"{") + text.count(b"[") <= limits.max_depth + objects - 1
    return min(limits.max_event_bytes, limits.max_key_length, 2 * limits.max_depth if not few_brackets else 1 << 62)


def check(value: Any, raw: bytes, doubtful: bool, limits: Limits) -> None:
    """Raises Refused unless this value, read from these bytes, may be a payload.

    `doubtful`: what is_doubtful said of the text it stood in.
    """
    if len(raw) > limits.max_event_bytes:
        raise _too_large(raw, limits)
    if type(value) is not dict:
        raise Refused("not_an_object", f"An event is a JSON object, not {raw[:40].decode(errors='replace')!r}.")
    if (doubtful and is_doubtful(raw, limits)) or _may_be_deep(raw, limits) or _may_have_long_name(raw, limits):
        inspect(raw, limits)


def _may_be_deep(raw: bytes, limits: Limits) -> bool:
    return raw.count(b"{") + raw.count(b"[") > limits.max_depth


def _may_have_long_name(raw: bytes, limits: Limits) -> bool:
    longest = limits.max_key_length
    return len(raw) > longest and (b"\\" in raw or max(map(len, raw.split(b'"'))) > longest)


def inspect(raw: bytes, limits: Limits) -> None:
    """Raises Refused for what orjson or jsonb does not take of a text that Python's json takes, and only then."""
    escapes = raw.replace(b"\\\\", b"__")
    _check_escapes(escapes)
    parts = escapes.replace(b'\\"', b"__").split(b'"')  # outside, string, outside, string, …, outside
    outside = b'"'.join(parts[::2])
    _check_depth(outside, limits)
    _check_numbers(outside, limits)
    _check_names(parts, limits)


def _check_escapes(text: bytes) -> None:
    nul = text.find(b"\\u0000")
    if nul >= 0:
        raise Refused("nul_character", f"\\u0000 at byte {nul} of the event: PostgreSQL stores no U+0000 in text.")
    lone = _lone_surrogate.search(text)
    if lone:
        found = text[lone.start() : lone.start() + 6].decode()
        raise Refused("lone_surrogate", f"{found} at byte {lone.start()} of the event is half of a surrogate pair.")


def _check_depth(outside: bytes, limits: Limits) -> None:
    steps = memoryview(outside.translate(_steps, _all_but_brackets)).cast("b")
    if max(accumulate(steps), default=0) > limits.max_depth:
        raise Refused("too_deep", f"The event is nested deeper than {limits.max_depth} levels.")


def _check_numbers(outside: bytes, limits: Limits) -> None:
    if b"N" in outside or b"I" in outside:
        raise Refused("number_not_finite", "NaN and Infinity are no JSON numbers; send null or a string.")
    for number in set(outside.translate(_only_numbers).split()):
        if len(number) > 4 and (len(number) > 100 or b"e" in number or b"E" in number):
            _check_number(number, limits)


def _check_number(number: bytes, limits: Limits) -> None:
    shown = number.decode() if len(number) <= 40 else f"{number[:40].decode()}…"
    digits = len(number.translate(None, b"+-.eE"))
    if digits > limits.max_digits:
        raise Refused("number_too_long", f"{shown} has {digits} digits, more than {limits.max_digits}; send a string.")
    mantissa, _, exponent = number.lower().partition(b"e")
    size = abs(float(number))
    is_zero = not mantissa.strip(b"-0.")
    fits = abs(int(exponent or b"0")) <= 308 if is_zero else size >= 1e-308 and not isinf(size)
    if not fits:
        raise Refused("number_out_of_range", f"{shown} is beyond 1e-308 … 1.8e308, the range of a double.")


def _check_names(parts: list[bytes], limits: Limits) -> None:
    for index in range(1, len(parts), 2):
        if len(parts[index]) > limits.max_key_length and parts[index + 1].lstrip(BLANK)[:1] == b":":
            name = parts[index][:40].decode(errors="replace")
            raise Refused("member_name_too_long", f"The name {name}… has more than {limits.max_key_length} bytes.")


def _too_large(raw: bytes, limits: Limits) -> Refused:
    return Refused("event_too_large", f"The event has {len(raw)} bytes, more than {limits.max_event_bytes}.")


# Writing


def copy_text(payload: bytes) -> bytes:
    """The payload as a field of PostgreSQL's COPY text format."""
    if b"\\" in payload:
        payload = payload.replace(b"\\", b"\\\\")
    if b"\n" in payload or b"\r" in payload or b"\t" in payload:
        payload = payload.replace(b"\n", b"\\n").replace(b"\r", b"\\r").replace(b"\t", b"\\t")
    return payload
