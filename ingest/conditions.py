"""Conditions on a jsonb column, as clients write them, as SQL.

A condition is a name and a text, such as `payload.motor.speed__gte` and `1200`, where `payload` stands for the column:

payload.<path>              equal            payload.<path>__eq        the same
payload.<path>__ne          not equal, or no such member
payload.<path>__gt, __gte, __lt, __lte       numbers with numbers, texts with texts by code point
payload.<path>__in          equal to one of a comma-separated list
payload.<path>__contains    a text within a text, or an element of an array
payload.<path>__exists      true or false: whether there is such a member, be it null
payload@                    the column contains this JSON (jsonb's @>)

Paths and values mean what they mean in the filters of the live feed: dots lead into objects, a number into an array; a
value that is a JSON number, string, true, false or null is compared as such, anything else as text. Objects and arrays
equal nothing.

What a client wrote never becomes SQL: it is in the parameters.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import orjson

from ingest.members import INDEXED_CHARACTERS, Path, Sql
from ingest.words import Words

MOST_CHARACTERS = 10_000
MOST_NAMES = 64
MOST_VALUES = 1000
MOST_DIGITS = 1000
MOST_WORD_CHARACTERS = 500  # PostgreSQL takes no word of more than 2,046 bytes

ORDERS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
SIGNS = {"eq": "=", **ORDERS}
OPERATORS = ("eq", "ne", *ORDERS, "in", "contains", "exists")

_number = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_listed = re.compile(r'(?:^|,)("(?:[^"\\]|\\.)*"(?=,|$)|[^,]*)', re.DOTALL)


class InvalidCondition(ValueError):
    """A name or a text makes no sense; the message says why and what would."""


class Condition(Protocol):
    def sql(self, column: str, for_index: bool = False) -> Sql:
        """A condition to stand beside others; where it does not hold it may be NULL. `column` is SQL, not checked.

        `for_index`: written so that an index on a number can be used, which takes longer where none is; to conditions
        on anything else it makes no difference.
        """


@dataclass(frozen=True, slots=True)
class Value:
    """A number, text, true, false or null. `json` is it as JSON, `text` as it was written, a text without quotes."""

    json: str
    text: str

    @property
    def kind(self) -> str:
        """As jsonb_typeof says it."""
        first = self.json[0]
        return {'"': "string", "t": "boolean", "f": "boolean", "n": "null"}.get(first, "number")


@dataclass(frozen=True, slots=True)
class Comparison:
    path: Path
    operator: str
    value: Value

    def sql(self, column: str, for_index: bool = False) -> Sql:
        member, names = self.path.sql(column)
        value = self.value
        if self.operator == "ne":
            return Sql(f"({member} IS DISTINCT FROM %s::jsonb)", [*names, value.json])
        if value.kind == "string":
            return _texts(self.path, column, f"{SIGNS[self.operator]} %s", [value], value.text)
        if value.kind == "number":
            sign = SIGNS[self.operator]
            as_numeric = f"{sign} %s::numeric" if for_index else None
            return _numbers(self.path, column, f"{sign} %s::jsonb", as_numeric, value.json)
        return Sql(f"({member} = %s::jsonb)", [*names, value.json])


@dataclass(frozen=True, slots=True)
class OneOf:
    path: Path
    values: tuple[Value, ...]

    def sql(self, column: str, for_index: bool = False) -> Sql:
        """Numbers, texts and others each in their own way, as Comparison has them."""
        texts, numbers = ([value for value in self.values if value.kind == kind] for kind in ("string", "number"))
        others = [value.json for value in self.values if value.kind not in ("string", "number")]
        found = []
        if texts:
            found.append(_texts(self.path, column, "= ANY(%s::text[])", texts, [value.text for value in texts]))
        if numbers:
            as_numeric = "= ANY(%s::text[]::numeric[])" if for_index else None
            given = [value.json for value in numbers]
            found.append(_numbers(self.path, column, "= ANY(%s::text[]::jsonb[])", as_numeric, given))
        if others:
            member, names = self.path.sql(column)
            found.append(Sql(f"{member} = ANY(%s::text[]::jsonb[])", [*names, others]))
        return Sql(f"({' OR '.join(one.text for one in found)})", [each for one in found for each in one.parameters])


def _texts(path: Path, column: str, comparison: str, values: Sequence[Value], given: Any) -> Sql:
    """Texts are compared by their beginnings, which an index may have, where that is enough."""
    if all(len(value.text) < INDEXED_CHARACTERS for value in values):
        text, names = path.beginning(column)
    else:
        whole, names = path.text(column)
        text = f'({whole} COLLATE "C")'
    check, again = path.is_text(column)
    return Sql(f"({text} {comparison} AND {check})", [*names, given, *again])


def _numbers(path: Path, column: str, as_jsonb: str, as_numeric: str | None, given: Any) -> Sql:
    """jsonb is compared in two thirds of the time; for an index, which has numerics, the same is said twice.

    PostgreSQL looks at the former first, and takes it for true of one row in two; it has statistics of the latter.
    """
    member, names = path.sql(column)
    quick = f"CASE WHEN {member} {as_jsonb} THEN jsonb_typeof({member}) = 'number' ELSE false END"
    found = Sql(f"({quick})", [*names, given, *names])
    if as_numeric is None:
        return found
    number, again = path.number(column)
    return Sql(f"({found.text} AND {number} {as_numeric})", [*found.parameters, *again, given])


@dataclass(frozen=True, slots=True)
class Contains:
    path: Path
    value: Value

    def sql(self, column: str, for_index: bool = False) -> Sql:
        member, names = self.path.sql(column)
        return Sql(
            f"(CASE jsonb_typeof({member}) WHEN 'string' THEN strpos({member} #>> '{{}}', %s) > 0"
            f" WHEN 'array' THEN {member} @> %s::jsonb ELSE false END)",
            [*names, *names, self.value.text, *names, f"[{self.value.json}]"],
        )


@dataclass(frozen=True, slots=True)
class Exists:
    path: Path
    wanted: bool

    def sql(self, column: str, for_index: bool = False) -> Sql:
        member, names = self.path.sql(column)
        return Sql(f"({member} IS {'NOT NULL' if self.wanted else 'NULL'})", names)


@dataclass(frozen=True, slots=True)
class Contained:
    """The column contains this JSON."""

    json: str

    def sql(self, column: str, for_index: bool = False) -> Sql:
        return Sql(f"({column} @> %s::jsonb)", [self.json])


def joined(conditions: Sequence[Condition], column: str, for_index: bool = False) -> Sql:
    """All of them; true without any."""
    pieces = [condition.sql(column, for_index) for condition in conditions]
    return Sql(
        " AND ".join(piece.text for piece in pieces) or "true", [one for piece in pieces for one in piece.parameters]
    )


# Reading


def is_condition(name: str, column: str) -> bool:
    return name == f"{column}@" or name.startswith(f"{column}.")


def parse(name: str, text: str, column: str) -> Condition:
    """What a client wrote, about the column that it calls so. Raises InvalidCondition."""
    _check(text)
    if name == f"{column}@":
        return Contained(_document(text))
    path, operator = _name(name, column)
    if operator == "exists":
        if text not in ("true", "false"):
            raise InvalidCondition("It is true or false.")
        return Exists(path, text == "true")
    if operator == "in":
        return OneOf(path, _values(text))
    value = parse_value(text)
    if operator == "contains":
        return Contains(path, value)
    if operator in ORDERS and value.kind not in ("number", "string"):
        raise InvalidCondition(f"{text} is neither a number nor a text: nothing is greater or less.")
    return Comparison(path, operator, value)


def parse_words(text: str) -> Words:
    """Raises InvalidCondition."""
    _check(text)
    if not 0 < len(text.strip()) <= MOST_WORD_CHARACTERS:
        raise InvalidCondition(f"It has 1 to {MOST_WORD_CHARACTERS} characters.")
    return Words(text)


def parse_path(name: str, column: str) -> Path:
    """Of `payload.motor.speed` the way from the column on. Raises InvalidCondition."""
    _check(name)
    names = tuple(name.removeprefix(f"{column}.").split("."))
    if not name.startswith(f"{column}.") or not all(names):
        raise InvalidCondition(f"It is {column} and names with single dots between them, such as {column}.motor.speed.")
    if len(names) > MOST_NAMES:
        raise InvalidCondition(f"It has {len(names)} names, more than {MOST_NAMES}.")
    return Path(names)


def parse_value(text: str) -> Value:
    """Raises InvalidCondition for U+0000."""
    if _number.fullmatch(text) and _is_kept(text):
        return Value(text, text)
    if text in ("true", "false", "null"):
        return Value(text, text)
    plain = _unquoted(text)
    _check(plain)
    return Value(orjson.dumps(plain).decode(), plain)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text


def _name(name: str, column: str) -> tuple[Path, str]:
    path, mark, operator = name.rpartition("__")
    if not mark or "." in operator:
        return parse_path(name, column), "eq"
    if operator not in OPERATORS:
        raise InvalidCondition(
            f"'__{operator}' is no comparison; there are {', '.join(f'__{one}' for one in OPERATORS)}."
            f" For a member whose name has __ in it write {name}__eq."
        )
    return parse_path(path, column), operator


def _values(text: str) -> tuple[Value, ...]:
    texts: list[str] = _listed.findall(text)
    if len(texts) > MOST_VALUES:
        raise InvalidCondition(f"The list has {len(texts)} values, more than {MOST_VALUES}.")
    return tuple(parse_value(one) for one in texts)


def _document(text: str) -> str:
    try:
        orjson.loads(text)
        json.loads(text, parse_int=_digits, parse_float=_digits)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidCondition(f"It is no JSON: {error}.") from None
    if "\\u0000" in text.replace("\\\\", ""):
        raise InvalidCondition("No stored text holds U+0000.")
    return text


def _digits(number: str) -> str:
    return number if _is_kept(number) else _refuse_number(number)


def _refuse_number(number: str) -> NoReturn:
    raise InvalidCondition(f"{number[:40]} is beyond the numbers that are stored.")


def _is_kept(number: str) -> bool:
    """Whether events can have it: what is larger or longer is no number that PostgreSQL should be asked about."""
    _, _, exponent = number.lower().partition("e")
    return len(number) <= MOST_DIGITS and len(exponent) <= 5 and abs(int(exponent or "0")) <= 2 * MOST_DIGITS


def _check(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise InvalidCondition(f"It has {len(text)} characters, more than {MOST_CHARACTERS}.")
    if "\x00" in text:
        raise InvalidCondition("No stored text holds U+0000.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidCondition("No stored text holds half a surrogate pair.")
