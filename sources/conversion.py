"""Values made into the type that a field of a mapping says. Nothing is guessed, rounded or cut short.

type     from                                                           to
text     text as it is; a number as it prints; true, false;             text
         a time by ISO 8601. No lists, no objects
integer  a number that is whole: 12, 12.0, "12", "12.0", "1e3".         int
         Not "1,234", "12.5", true
number   a number, or a text that is one, with a point: "20.00"         int, float; Decimal where float would lose
boolean  true, false, 1, 0, or as text, and "yes", "no", in any case    bool
time     ISO 8601; RFC 2822 with a zone; Unix seconds to nanoseconds,   datetime in UTC
         told apart by their size, as a number or as a text of 9 to 19
         digits (but 14, which may be 20210630200000: say a `format`).
         With `format`: only what datetime.strptime reads by it
date     a date by ISO 8601; else that of a time in `time_zone`         text such as "2021-06-30"
json     text that is JSON, its numbers as for number but at most       a JSON value
         1.8e308; what is no text is a JSON value already
any      all                                                            the same

With `decimal` "," texts for integer and number have a comma where those above have a point, and between groups of three
digits before it may stand points, blanks, no-break spaces or apostrophes, the same in one number: "2,50", "1.234,56",
"12 345,6". "2.50" is no number then. What is a number already stays as it is.

White space around a text counts for text and any only, and a text of nothing else is null for the other types: CSV and
XML have no other null. Numbers have at most 1000 digits before and after the point.

A time without a zone is one in `time_zone`, a date the midnight it begins with. Where clocks are set back, the earlier
of the two moments is meant; a time that was skipped when clocks were set forward counts as if they had not been:
2021-03-28T02:30 in Madrid is 01:30 UTC. Dates that do not exist, leap seconds, and times outside the years 1 to 9999
(in UTC) are refused. The day's name in RFC 2822 is not checked. Digits beyond microseconds are cut off.
"""

import json
import re
import reprlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from sources.errors import BadDefinition, RowRejected

MOST_DIGITS = 1000
_TOO_LARGE = 10**MOST_DIGITS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_ONLY = {str}
_NAIVE_EPOCH = datetime(1970, 1, 1)  # adding the difference is much cheaper than replacing the zone

Converter = Callable[[Any], Any]

_integer = re.compile(r"[+-]?\d+", re.ASCII)
_number = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?", re.ASCII)
_plain_decimal = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII).fullmatch
_with_comma = re.compile(
    r"([+-]?)(?:(\d*)|([1-9]\d{0,2}(?:([. \xa0\u202f'’])\d{3})(?:\4\d{3})*))(?:,(\d*))?((?:[eE][+-]?\d{1,6})?)",
    re.ASCII,
)
_exact_float = 16  # characters with a point: at most 15 digits, which every float gives back
_unix = re.compile(r"-?(?!\d{14}(?!\d))\d{9,19}(?:\.\d+)?", re.ASCII)
_basic_iso = re.compile(r"\d{4}(?:\d{4}|W\d{3})[Tt ].+", re.ASCII)
_rfc_2822 = re.compile(
    r"(?:[a-z]{3}, *)?\d{1,2} +[a-z]{3} +(?:\d\d|\d{4}) +\d\d:\d\d(?::\d\d)? +"
    r"(?:[+-]\d{4}|UTC?|GMT|Z|[ECMP][SD]T)(?: *\(.*\))?",
    re.ASCII | re.IGNORECASE,
)
_doubtful_in_json = re.compile(r"[\d.]{16}|[eE][+-]?\d{3}", re.ASCII)
_SEPARATORS = ("T", " ", "", "t")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def make_converter(type_: str, time_zone: str = "UTC", format_: str = "", decimal: str = ".") -> Converter:
    """For any value but None. The converter raises RowRejected "bad_<type>". Raises BadDefinition."""
    if decimal == ",":
        return _make_comma_converter(type_)
    if type_ == "any":
        return lambda value: value
    if type_ == "text":
        return _at_once(str, to_text)
    if type_ not in ("time", "date"):
        return _known(type_, _unless_blank(_BY_TYPE[type_]))
    zone = _zone(time_zone)
    moment = _make_moment(type_, zone, _checked_format(format_))
    if type_ == "date":
        return _unless_blank(_make_date(moment, zone, format_))
    return _unless_blank(moment) if format_ else _at_once(_utc, _unless_blank(moment))


def convert_texts(convert: Converter, values: list[Any]) -> list[Any] | None:
    """What the converter makes of each, if all are texts in the most common forms; None if not."""
    read = getattr(convert, "read", None)
    if read is None or {*map(type, values)} != _TEXT_ONLY:
        return None
    if read is str:
        return values
    found = list(map(read, values))
    return None if None in found else found


def _make_comma_converter(type_: str) -> Converter:
    if type_ not in ("integer", "number"):
        raise BadDefinition(f'decimal: "," is for the types integer and number, and this is {type_}: leave it out.')
    convert = _BY_TYPE[type_]

    def convert_text(value: Any) -> Any:
        return convert(_with_point(value, type_) if isinstance(value, str) else value)

    return _at_once(_plain_integer if type_ == "integer" else _plain_comma_number, _unless_blank(convert_text))


def _known(type_: str, convert: Converter) -> Converter:
    return _at_once(_AT_ONCE[type_], convert) if type_ in _AT_ONCE else convert


def _unless_blank(convert: Converter) -> Converter:
    def convert_text(value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()
            if not value:
                return None
        return convert(value)

    return convert_text


def _at_once(read: Callable[[str], Any], otherwise: Converter) -> Converter:
    """`read` knows the texts that are most common, and gives None for others: most time goes into conversions."""

    def convert(value: Any) -> Any:
        if type(value) is str and (found := read(value)) is not None:
            return found
        return otherwise(value)

    convert.read = read  # type: ignore[attr-defined]
    return convert


def _plain_integer(text: str) -> int | None:
    return int(text) if len(text) < 19 and text.isdigit() and text.isascii() else None


def _plain_number(text: str) -> int | float | None:
    if not (len(text) <= _exact_float and _plain_decimal(text)):
        return None
    return float(text) if "." in text else int(text)


def _plain_comma_number(text: str) -> int | float | None:
    return None if "." in text else _plain_number(text.replace(",", ".", 1))


def _utc(text: str) -> datetime | None:
    """2026-11-23T12:34:56Z, with or without a fraction."""
    if text[-1:] != "Z" or text[10:11] != "T":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _bad(type_: str, value: Any, reason: str) -> RowRejected:
    text = value if isinstance(value, str) else reprlib.repr(value)
    return RowRejected(f"bad_{type_}", f"{text[:80]}{'…' * (len(text) > 80)} {reason}")


# Texts, numbers, booleans, JSON


def to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, date):  # datetime is one
        return value.isoformat()
    raise _bad("text", value, "is no text; to_string(@) writes lists and objects as JSON.")


def to_number(value: Any, type_: str = "number") -> int | float | Decimal:
    if isinstance(value, str):
        return _number_of(value, type_)
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and -_TOO_LARGE < value < _TOO_LARGE:
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return _shortest(value, type_)
    raise _bad(type_, value, f"is no {type_}, or one of more than {MOST_DIGITS} digits.")


def _number_of(text: str, type_: str) -> int | float | Decimal:
    if len(text) > MOST_DIGITS:
        raise _bad(type_, text, f"is no {type_}, or one of more than {MOST_DIGITS} digits.")
    if _integer.fullmatch(text):
        return int(text)
    if not _number.fullmatch(text):
        raise _bad(type_, text, f"is no {type_}: digits, and no separator but a point.")
    if len(text) <= _exact_float and "e" not in text and "E" not in text:
        return float(text)
    return _shortest(Decimal(text), type_)


def _with_point(text: str, type_: str) -> str:
    """The same number without groups."""
    found = _with_comma.fullmatch(text)
    if found is None or not (found[2] or found[3] or found[5]):
        raise _bad(type_, text, f"is no {type_} with a decimal comma: 2,50 or 1.234,56.")
    sign, plain, grouped, separator, fraction, exponent = found.groups()
    whole = plain or (grouped.replace(separator, "") if grouped else "")
    return f"{sign}{whole}{'' if fraction is None else '.' + fraction}{exponent}"


def _shortest(value: Decimal, type_: str) -> float | Decimal:
    near = float(value)
    if isfinite(near) and Decimal(repr(near)) == value:
        return near
    if abs(value.adjusted()) > MOST_DIGITS or len(value.as_tuple().digits) > MOST_DIGITS:
        raise _bad(type_, str(value), f"is a number of more than {MOST_DIGITS} digits.")
    return value


def to_integer(value: Any) -> int:
    number = to_number(value, "integer")
    if isinstance(number, int):
        return number
    numerator, denominator = Decimal(repr(number) if isinstance(number, float) else number).as_integer_ratio()
    if denominator != 1:
        raise _bad("integer", value, "is no integer: it is not whole.")
    return numerator


def to_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        answer = _BOOLEANS.get(value.lower())
    else:
        answer = bool(value) if isinstance(value, int | float | Decimal) and value in (0, 1) else None
    if answer is None:
        raise _bad("boolean", value, "is no boolean: true, false, 1, 0, yes or no.")
    return answer


def to_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parsed = orjson.loads(value)
        if _doubtful_in_json.search(value):
            return json.loads(value, parse_float=_json_number, parse_int=_json_number)
    except (ValueError, RecursionError) as error:
        raise _bad("json", value, f"is no JSON: {error}") from None
    return parsed


def _json_number(text: str) -> int | float | Decimal:
    return _number_of(text, "json")


_BY_TYPE: dict[str, Converter] = {"integer": to_integer, "number": to_number, "boolean": to_boolean, "json": to_json}
_AT_ONCE: dict[str, Callable[[str], Any]] = {
    "integer": _plain_integer,
    "number": _plain_number,
    "boolean": _BOOLEANS.get,
}


# Times


def read_iso(text: str) -> datetime | None:
    """A date, or date and time, by ISO 8601; None for another form. Raises ValueError when there is no such date."""
    if text[10:11] not in _SEPARATORS and not _basic_iso.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text if text[-1:] not in ("z", "t") else text.upper())
    except ValueError as error:
        if "isoformat" in str(error):
            return None
        raise


def _make_moment(type_: str, zone: tzinfo, format_: str) -> Callable[[Any], datetime]:
    read = partial(_read_by_format, format_) if format_ else _read_time

    def moment(value: Any) -> datetime:
        try:
            time = read(value)
            if time is None:
                raise _bad(type_, value, f"is no {type_}: not ISO 8601, RFC 2822 or Unix time; name its `format`.")
            if time.tzinfo is None:
                time = EPOCH + (time - _NAIVE_EPOCH) if zone is UTC else time.replace(tzinfo=zone)
            return time.astimezone(UTC)
        except ValueError as error:
            raise _bad(type_, value, f"is no date: {error}.") from None
        except OverflowError:
            raise _bad(type_, value, "lies outside the years 1 to 9999.") from None

    return moment


def _read_by_format(format_: str, value: Any) -> datetime | None:
    if isinstance(value, str):
        return datetime.strptime(value, format_)
    if isinstance(value, int) and not isinstance(value, bool):  # 20210630
        return datetime.strptime(str(value), format_)
    return _read_time(value) if isinstance(value, date) else None


def _read_time(value: Any) -> datetime | None:
    if isinstance(value, str):
        return read_iso(value) or _read_other(value)
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return EPOCH + _since_epoch(value)
    return None


def _read_other(text: str) -> datetime | None:
    if _unix.fullmatch(text):
        return EPOCH + _since_epoch(Decimal(text))
    if _rfc_2822.fullmatch(text):
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # -0000: UTC, from who knows where
    return None


def _since_epoch(number: Any) -> timedelta:
    if not isfinite(number) or (size := abs(number)) >= 1e20:
        raise OverflowError
    tick = 1_000_000 if size < 1e11 else 1000 if size < 1e14 else 1
    if size >= 1e17:
        return timedelta(microseconds=int(number) // 1000)
    return timedelta(microseconds=int(number * tick) if isinstance(number, Decimal) else number * tick)


def _make_date(moment: Callable[[Any], datetime], zone: tzinfo, format_: str) -> Converter:
    def convert(value: Any) -> str:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        try:
            return moment(value).astimezone(zone).date().isoformat()
        except OverflowError:
            raise _bad("date", value, "lies outside the years 1 to 9999.") from None

    return convert


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadDefinition(f"time_zone: {name[:80]!r} is no time zone; one is 'Europe/Madrid'.") from None


def _checked_format(format_: str) -> str:
    """Whether it is a format is found by writing a time with it and reading that."""
    if not format_:
        return ""
    sample = datetime(2021, 11, 23, 13, 14, 15, tzinfo=UTC)
    try:
        year = datetime.strptime(sample.strftime(format_), format_).year
    except ValueError as error:
        raise BadDefinition(f"format: {format_[:80]!r} is no format of times: {error}.") from None
    if year != sample.year:
        raise BadDefinition(f"format: {format_[:80]!r} does not say the year.")
    if "%Z" in format_.replace("%%", ""):
        raise BadDefinition("format: names of zones (%Z) are ambiguous; use %z, or `time_zone`.")
    return format_
