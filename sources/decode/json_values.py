"""JSON texts into values that lose nothing: integers exact, numbers with more digits than a float as Decimal.

orjson reads what it reads exactly, which one look at the text tells; Python's json reads the rest: long integers,
decimals of more than 15 digits, far exponents. Half a surrogate pair, which orjson refuses, is then in the value: see
`has_lone_surrogate`.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 64
MAX_EXPONENT = 1000

_number_characters = bytearray(b"x" * 256)
for _characters in (b"0123456789.", b"eE"):
    for _character in _characters:
        _number_characters[_character] = _characters[0]
_all_but_brackets = bytes(set(range(256)) - set(b"[]{}"))
_half_as_escape = re.compile(rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]", re.DOTALL)
_half_of_pair = re.compile("[\ud800-\udfff]")


def is_exact_for_orjson(text: bytes) -> bool:
    """False where a number may have more digits, or a further exponent, than orjson keeps."""
    numbers = text.translate(_number_characters, b"+-")
    return b"0" * 17 not in numbers and b"e000" not in numbers


def loads(text: bytes) -> Any:
    """The value of a text in UTF-8. Raises ValueError, which says where, and RecursionError some 1,000 levels deep."""
    if is_exact_for_orjson(text):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # what is wrong with it the other parser says, with the same words for documents of any size
    return decoder.decode(text.decode())


def is_too_deep(value: Any) -> bool:
    """Lists and objects in more than 64 levels, the value itself being the first."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def may_be_deep(text: bytes) -> bool:
    """False only if nothing in this JSON text is nested more than 64 levels. Brackets in strings may mislead it."""
    brackets = text.translate(None, _all_but_brackets)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return False
    return True


def may_have_lone_surrogate(text: bytes) -> bool:
    return b"\\u" in text and _half_as_escape.search(text.replace(b"\\\\", b"__")) is not None


def has_lone_surrogate(value: Any) -> bool:
    return _half_of_pair.search(json.dumps(value, ensure_ascii=False, default=str)) is not None


def _number(text: str) -> float | Decimal:
    value = float(text)
    if repr(value) == text or (len(text) <= 16 and "e" not in text and "E" not in text):
        return value
    try:
        precise = Decimal(text)
    except InvalidOperation:
        precise = Decimal("Infinity")
    if not precise.is_finite() or abs(precise.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"The number {text[:40]} is out of range")
    return precise if isinf(value) or precise != Decimal(repr(value)) else value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


decoder = json.JSONDecoder(parse_float=_number, parse_constant=_no_number)
