"""Which rows go on.

A filter is {"all": […]}, {"any": […]}, {"not": …} or {"field": path, "op": …, "value": …}:

eq, ne            equal, or not: numbers as numbers (1 is 1.0), lists and objects by what they hold; true is not 1
gt, gte, lt, lte  numbers by size, times by time, texts by code point
in, not_in        equal to one of the list `value`, or to none
contains          a text has the text `value`, a list the element, an object the member of that name
matches           the regular expression `value` is found in the first 10,000 characters of a text
exists, missing   there and not null, or the contrary; without `value`

A `value` that is a date and time by ISO 8601 is a time: it is compared with times, and with texts that are times by ISO
8601, in UTC if they name no zone. A date alone is midnight UTC beside times, and a text beside texts.

Values of different types are never equal, nor greater, nor less: such a comparison is false, and ne is true. Where a
field is missing, only ne, not_in, missing and `not` are true. Null is equal to null.

Regular expressions are those of Rust's regex, whose time is linear in the text: without look-around and back
references.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

import jsonschema_rs

from sources.conversion import read_iso
from sources.definition import Filter
from sources.errors import BadDefinition
from sources.paths import MISSING, getter
from sources.rows import Row

MOST_DEPTH = 20
MOST_CHARACTERS = 10_000  # of a text that is matched
MOST_PATTERN_CHARACTERS = 1000
MOST_PATTERN_BYTES = 1_000_000  # compiled

RowTest = Callable[[Row], bool]
Test = Callable[[Any], bool]  # of the value of a field, or MISSING

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_NOTHING = object()


def make_filter(filter_: Filter | None) -> RowTest:
    """A function that tells whether a row goes on. Raises BadDefinition, naming the place by a JSON pointer."""
    if filter_ is None:
        return lambda row: True
    return _make(filter_, "/filter", 1)


def _make(filter_: Any, pointer: str, depth: int) -> RowTest:
    if depth > MOST_DEPTH:
        raise BadDefinition(f"{pointer}: filters can be nested {MOST_DEPTH} levels deep.")
    if not isinstance(filter_, dict):
        raise BadDefinition(f"{pointer}: a filter is an object.")
    if "field" in filter_ or "op" in filter_:
        return _make_condition(filter_, pointer)
    if len(filter_) != 1 or (kind := next(iter(filter_))) not in ("all", "any", "not"):
        raise BadDefinition(f'{pointer}: a filter has either "all", "any", "not", or "field" and "op".')
    inner, pointer = filter_[kind], f"{pointer}/{kind}"
    if kind == "not":
        test = _make(inner, pointer, depth + 1)
        return lambda row: not test(row)
    if not isinstance(inner, list) or not inner:
        raise BadDefinition(f"{pointer}: a list of at least one filter.")
    tests = [_make(part, f"{pointer}/{index}", depth + 1) for index, part in enumerate(inner)]
    return _all(tests) if kind == "all" else _any(tests)


def _all(tests: list[RowTest]) -> RowTest:
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) and second(row)
    return lambda row: all(test(row) for test in tests)


def _any(tests: list[RowTest]) -> RowTest:
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) or second(row)
    return lambda row: any(test(row) for test in tests)


# Conditions


def _make_condition(condition: dict[str, Any], pointer: str) -> RowTest:
    unknown = sorted(condition.keys() - {"field", "op", "value"})
    if unknown:
        raise BadDefinition(f"{pointer}: a condition has field, op and value, not {unknown[0][:40]!r}.")
    field = condition.get("field")
    if not isinstance(field, str) or not field:
        raise BadDefinition(f"{pointer}/field: the name of a field.")
    get = getter(field)
    test = _make_test(condition.get("op"), condition.get("value", _NOTHING), pointer)
    return lambda row: test(get(row))


def _make_test(op: Any, value: Any, pointer: str) -> Test:
    maker = _MAKERS.get(op) if isinstance(op, str) else None
    if maker is None:
        raise BadDefinition(f"{pointer}/op: {str(op)[:40]!r} is none of {', '.join(_MAKERS)}.")
    if op in ("exists", "missing"):
        if value is not _NOTHING and value is not None:
            raise BadDefinition(f"{pointer}/value: {op} takes none.")
    elif value is _NOTHING:
        raise BadDefinition(f"{pointer}: {op} needs a value.")
    try:
        return maker(value)
    except ValueError as error:
        raise BadDefinition(f"{pointer}/value: {op} {error}") from None


def _negated(make: Callable[[Any], Test]) -> Callable[[Any], Test]:
    def make_negated(value: Any) -> Test:
        test = make(value)
        return lambda other: not test(other)

    return make_negated


def _make_equal(value: Any) -> Test:
    if isinstance(value, str):
        return _make_equal_text(value)
    if value is None or isinstance(value, bool):
        return lambda other: other is value
    if isinstance(value, int | float | Decimal):
        decimal = _decimal(value)
        return lambda other: (
            other == value if type(other) is int or type(other) is float else _is_same_decimal(other, decimal)
        )
    return lambda other: _is_same(other, value)


def _make_equal_text(value: str) -> Test:
    time, is_alone = _time(value)
    if time is None:
        return lambda other: other == value if type(other) is str else False

    def equal(other: Any) -> bool:
        if isinstance(other, str):
            return other == value or (not is_alone and _time_of_text(other) == time)
        return isinstance(other, datetime) and _aware(other) == time

    return equal


def _make_order(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def make_order(value: Any) -> Test:
        if isinstance(value, str):
            return _make_order_of_texts(compare, value)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ValueError("takes a number, a text or a time.")
        decimal = _decimal(value)

        def test(other: Any) -> bool:
            if type(other) is int or type(other) is float:
                return compare(other, value)
            return isinstance(other, Decimal) and not other.is_nan() and compare(other, decimal)

        return test

    return make_order


def _make_order_of_texts(compare: Callable[[Any, Any], bool], value: str) -> Test:
    time, is_alone = _time(value)

    def test(other: Any) -> bool:
        if isinstance(other, str):
            if time is None or is_alone:
                return compare(other, value)
            moment = _time_of_text(other)
            return moment is not None and compare(moment, time)
        return time is not None and isinstance(other, datetime) and compare(_aware(other), time)

    return test


def _make_in(values: Any) -> Test:
    if not isinstance(values, list):
        raise ValueError("takes a list.")
    texts = frozenset(value for value in values if isinstance(value, str))
    times = [_make_equal_text(text) for text in texts if _time(text)[0] is not None]
    others = times + [_make_equal(value) for value in values if not isinstance(value, str)]
    if not others:
        return lambda other: other in texts if type(other) is str else False
    return lambda other: (type(other) is str and other in texts) or any(test(other) for test in others)


def _make_contains(value: Any) -> Test:
    is_equal = _make_equal(value)

    def contains(other: Any) -> bool:
        if isinstance(other, str | dict):
            return isinstance(value, str) and value in other
        return isinstance(other, list) and any(is_equal(element) for element in other)

    return contains


def _make_matches(pattern: Any) -> Test:
    if not isinstance(pattern, str) or len(pattern) > MOST_PATTERN_CHARACTERS:
        raise ValueError(f"takes a regular expression of at most {MOST_PATTERN_CHARACTERS} characters.")
    options = jsonschema_rs.RegexOptions(size_limit=MOST_PATTERN_BYTES, dfa_size_limit=MOST_PATTERN_BYTES)
    try:
        is_match = jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options).is_valid
    except ValueError:  # UnicodeEncodeError is one
        raise ValueError(f"takes a regular expression (without look-around), not {pattern[:80]!r}.") from None

    def matches(other: Any) -> bool:
        if type(other) is not str:
            return False
        try:
            return is_match(other[:MOST_CHARACTERS])
        except UnicodeEncodeError:  # half a surrogate pair
            return False

    return matches


def _make_exists(_: Any) -> Test:
    return lambda other: other is not MISSING and other is not None


# Comparing


def _decimal(number: float | Decimal) -> Decimal:
    """As written: 0.1 is a tenth, not the float next to it."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def _is_same_decimal(other: Any, decimal: Decimal) -> bool:
    return isinstance(other, Decimal) and not other.is_nan() and other == decimal


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[name]) for name, value in one.items())
    if isinstance(other, list | dict):
        return False
    return _make_equal(other)(one)


def _time(text: str) -> tuple[datetime | None, bool]:
    """The time that a value is, and whether it is a date alone."""
    try:
        time = read_iso(text)
    except ValueError:
        time = None
    return (None if time is None else _aware(time)), len(text) <= 10


def _time_of_text(text: str) -> datetime | None:
    return _time(text)[0]


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


_MAKERS: dict[str, Callable[[Any], Test]] = {
    "eq": _make_equal,
    "ne": _negated(_make_equal),
    **{op: _make_order(compare) for op, compare in _ORDERS.items()},
    "in": _make_in,
    "not_in": _negated(_make_in),
    "contains": _make_contains,
    "matches": _make_matches,
    "exists": _make_exists,
    "missing": _negated(_make_exists),
}
