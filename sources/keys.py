"""What identifies a row: the text of some of its fields, or a hash of all it holds."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from hashlib import blake2b
from typing import Any, NoReturn

import orjson

from sources.errors import BadDefinition, RowRejected
from sources.paths import MISSING, getter
from sources.rows import Row

MOST_CHARACTERS = 255
HASH_BYTES = 16
ORDERED = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
_PLAIN = 1 << 63
_blake2b = blake2b(digest_size=HASH_BYTES)
_BITS = 850  # of an integer with more digits than a key may have
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)

KeyMaker = Callable[[Row], str]


def make_key(paths: Sequence[str]) -> KeyMaker:
    """A function that gives the key of a row: the text of one field, or of several joined by "|".

    Within several, "|" and "\\" are escaped by "\\", so ("a", "b|c") is not ("a|b", "c"). A number is written in full
    without needless zeros, so 12, 12.0 and the text "12" are one key; a time in UTC, by ISO 8601. RowRejected:
    "no_key" for what is missing, null, empty, a list or an object, or cannot stand in a database's text;
    "key_too_long" beyond 255 characters, for cut short it would be another's. Raises BadDefinition without paths.
    """
    if not paths or not all(paths):
        raise BadDefinition("A key needs the name of at least one field, and no empty name.")
    fields = [(path, getter(path)) for path in paths]
    if len(fields) > 1:
        return lambda row: _checked("|".join([_escaped(_text(path, get(row))) for path, get in fields]))
    path, get = fields[0]

    def key(row: Row) -> str:
        value = get(row)
        if type(value) is int and -_PLAIN < value < _PLAIN:
            return str(value)
        return _checked(value if type(value) is str and value else _text(path, value))

    return key


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _checked(key: str) -> str:
    if len(key) > MOST_CHARACTERS:
        raise RowRejected(
            "key_too_long", f"The key {key[:40]!r}… has {len(key)} characters, more than {MOST_CHARACTERS}."
        )
    if "\0" in key or not (key.isascii() or _is_unicode(key)):
        raise RowRejected("no_key", f"The key {key!r} has a NUL or half a surrogate pair, which no database keeps.")
    return key


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(path: str, value: Any) -> str:
    if isinstance(value, str):
        return value or _no_key(path, "empty")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < _BITS else _long_number(path)
    if isinstance(value, float):
        return _decimal_text(path, Decimal(repr(value)))
    if isinstance(value, Decimal):
        return _decimal_text(path, value)
    if isinstance(value, datetime):
        return _time_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return _no_key(path, "missing" if value is MISSING else "null" if value is None else "a list or an object")


def _time_text(value: datetime) -> str:
    """As in the row's JSON."""
    if value.tzinfo is None:
        return value.isoformat()
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _decimal_text(path: str, value: Decimal) -> str:
    if not value.is_finite():
        return _no_key(path, "no number")
    if not value:
        return "0"
    if abs(value.adjusted()) > MOST_CHARACTERS:
        return _long_number(path)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _no_key(path: str, what: str) -> NoReturn:
    raise RowRejected("no_key", f"{path} is {what}, so the row has no key.")


def _long_number(path: str) -> NoReturn:
    raise RowRejected("key_too_long", f"{path} is a number of more than {MOST_CHARACTERS} digits.")


def content_hash(row: Row) -> bytes:
    """16 bytes (BLAKE2b) of the row as JSON, members sorted at all levels.

    1 and 1.0 differ, as they do when they are stored. Decimals count as exact numbers: Decimal("1.50") is the float
    1.5. A time is the ISO text of it, offset included, Z for UTC. Raises RowRejected ("too_deep").
    """
    try:
        text = orjson.dumps(row, default=_number, option=ORDERED)
    except TypeError:  # integers beyond 64 bits, lone surrogates, more than 254 levels
        text = _slowly(row)
    return hash_of(text)


def hash_of(text: bytes) -> bytes:
    hash = _blake2b.copy()
    hash.update(text)
    return hash.digest()


def _number(value: Any) -> Any:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is no JSON value")
    number = _as_float(value)
    return orjson.Fragment(_exactly(value)) if number is None else number


def _as_float(value: Decimal) -> float | None:
    return float(value) if value.is_finite() and Decimal(repr(float(value))) == value else None


def _exactly(value: Decimal) -> str:
    return str(value.normalize(_EXACT)) if value.is_finite() else f'"{value}"'


def _slowly(row: Row) -> bytes:
    try:
        return json.dumps(row, sort_keys=True, default=_other).encode()
    except (RecursionError, ValueError) as error:
        raise RowRejected("too_deep", "The row is nested too deeply, or has a number of too many digits.") from error


def _other(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return str(value)
    number = _as_float(value)
    return f"Decimal {_exactly(value)}" if number is None else number
