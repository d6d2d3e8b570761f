"""Rows as JSON text that PostgreSQL stores and gives back equal, down to the last digit of a number."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson
from django.conf import settings

from ingest.payload import Limits, Refused, check, harmless_bytes, is_doubtful
from sources.decode import json_values
from sources.errors import RowRejected
from sources.keys import ORDERED, content_hash, hash_of
from sources.rows import Row

MOST_LEVELS = Limits().max_depth


def limits() -> Limits:
    """Those of an event, for as many rows as are given."""
    return Limits(max_event_bytes=settings.MAX_EVENT_BYTES, max_events=1 << 62)


def encode(row: Row) -> bytes:
    """The row as JSON. Raises RowRejected for what JSON cannot say."""
    try:
        text = orjson.dumps(row, default=_exact, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        text = orjson.dumps(_plain(row, 1), default=_exact, option=orjson.OPT_UTC_Z)
    return _checked(text, row)


def encode_and_hash(row: Row) -> tuple[bytes, bytes]:
    """`encode`, with members in the order of their names, and `content_hash`: for most rows, that of the same text."""
    try:
        text = orjson.dumps(row, option=ORDERED)
    except orjson.JSONEncodeError:
        return _alone(encode(row)), content_hash(row)
    return _alone(_checked(text, row)), hash_of(text)


def _alone(text: bytes) -> bytes:
    """A copy, for keeping: around what orjson gives there are kilobytes of room, even when it is cut to size."""
    return b"%b" % text


def _checked(text: bytes, row: Row) -> bytes:
    if b"null" in text and not _are_finite((row,)):  # orjson makes null of NaN and Infinity
        raise _not_finite()
    return text


def refusals(texts: Sequence[bytes], allowed: Limits) -> dict[int, RowRejected]:
    """By their place, those of these rows that may not be stored, by what an event may be (ingest.payload)."""
    together = b"\n".join(texts)
    doubtful, harmless = is_doubtful(together, allowed), harmless_bytes(together, len(texts), allowed)
    found: dict[int, RowRejected] = {}
    if not doubtful and max(map(len, texts), default=0) <= harmless:
        return found
    for place, text in enumerate(texts):
        if doubtful or len(text) > harmless:
            try:
                check({}, text, doubtful, allowed)
            except Refused as refusal:
                found[place] = RowRejected(refusal.code, of_row(refusal.detail))
    return found


def row_of(text: bytes) -> object:
    """The row that this is the text of, as far as JSON says it: for showing what was left out."""
    try:
        return json_values.loads(text)
    except (ValueError, RecursionError):
        return text.decode(errors="replace")


def of_row(detail: str) -> str:
    """What is said of an event, said of a row."""
    return detail.replace("The event ", "The row ", 1).replace(" of the event", " of the row", 1)


def _exact(value: Any) -> Any:
    if type(value) is Decimal and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError


def _are_finite(values: Iterable[Any]) -> bool:
    for value in values:
        kind = type(value)
        if kind is float:
            if not isfinite(value):
                return False
        elif (kind is dict and not _are_finite(value.values())) or (kind is list and not _are_finite(value)):
            return False
    return True


def _not_finite() -> RowRejected:
    return RowRejected("number_not_finite", "NaN and Infinity are no JSON numbers; send null or a string.")


def _plain(value: Any, level: int) -> Any:
    """The value with what orjson minds said in other words. Raises RowRejected where there are none."""
    if level > MOST_LEVELS:
        raise RowRejected("too_deep", f"The row is nested deeper than {MOST_LEVELS} levels.")
    if isinstance(value, dict):
        return {_name(name): _plain(member, level + 1) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member, level + 1) for member in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | datetime | date | None):
        return value
    if isinstance(value, int):
        return orjson.Fragment(_digits(value))
    if isinstance(value, float | Decimal):
        if not (value.is_finite() if isinstance(value, Decimal) else isfinite(value)):
            raise _not_finite()
        return value
    raise RowRejected("not_json", f"A value of the type {type(value).__name__} cannot be stored; map it to another.")


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise RowRejected("not_json", f"{str(name)[:40]!r} is a name of a member and not a text.")
    return _text(name)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise RowRejected(
            "lone_surrogate", f"{half} at character {error.start} of a text is half of a surrogate pair."
        ) from None
    return text


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python writes no more than 4,300
        raise RowRejected("number_too_long", "A number has thousands of digits; send a string.") from None
