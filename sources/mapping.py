"""Rows made from rows, member by member: each from what a JMESPath expression finds, converted to a type."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options

from sources.conversion import convert_texts, make_converter
from sources.definition import Field
from sources.errors import BadDefinition, RowRejected, SourceError
from sources.interpreter import MOST_BYTES, Interpreter, TooMuch
from sources.rows import Row

MOST_CHARACTERS = 1000  # of an expression
EVALUATION_ERRORS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)

_meant_as_names = re.compile(r"[\w$#@:/ -]+(?:\.[\w$#@:/ -]+)*")

Mapper = Callable[[Row], Row]
RowsMapper = Callable[[Sequence[Row]], Sequence[Row]]
Reader = Callable[[Row], Any]
ColumnReader = Callable[[Sequence[Row]], list[Any]]
Node = dict[str, Any]


def make_mapper(fields: list[Field]) -> Mapper:
    """A row in, a new row of exactly these fields out; without fields the row itself.

    `a.b` is the member `b` of `a`, or else the member that flattening named `a.b`. What is missing is null; then
    `default` counts, and `required` does not let null pass. `on_error` is for what cannot be converted: RowRejected
    ("bad_<type>", "bad_value" when the expression fails, "missing_field"), or null (which `required` rejects after
    all), or SourceError "mapping_failed". Raises BadDefinition, naming the place in the document by a JSON pointer.
    """
    if not fields:
        return lambda row: row
    for name, count in Counter(field.to for field in fields).items():
        if count > 1:
            raise BadDefinition(f"/map: {count} fields go to {name!r}.")
    takers = [(field.to, _make_takers(field, f"/map/{index}")[0]) for index, field in enumerate(fields)]
    return lambda row: {name: take(row) for name, take in takers}


def make_rows_mapper(fields: list[Field]) -> RowsMapper:
    """As make_mapper, of many rows at once: member by member, in little more than half the time.

    What it raises may be about any of the rows, so map them one by one then.
    """
    if not fields:
        return lambda rows: rows
    takers = [(field.to, _make_takers(field, f"/map/{index}")[1]) for index, field in enumerate(fields)]

    def map_rows(rows: Sequence[Row]) -> list[Row]:
        made: list[Row] = [{} for _ in rows]
        for name, take_all in takers:
            for row, value in zip(made, take_all(rows), strict=True):
                row[name] = value
        return made

    return map_rows


def unmatched(fields: list[Field], rows: Sequence[Row]) -> list[int]:
    """Which of the fields find nothing in any of the rows; none of them when there are no rows."""
    return [place for place, field in enumerate(fields) if rows and not _finds(field, rows)]


def _finds(field: Field, rows: Sequence[Row]) -> bool:
    read, _ = _make_value_reader(field, "/map")
    try:
        return any(read(row) is not None for row in rows)
    except RowRejected:
        return True


def _make_value_reader(field: Field, pointer: str) -> tuple[Reader, bool]:
    """With whether it can raise RowRejected."""
    tree = _parse(field.source, f"{pointer}/from")
    names = _names(tree)
    return (_make_simple_reader(names), False) if names else (_make_reader(tree, field.source, f"{pointer}/from"), True)


def _make_takers(field: Field, pointer: str) -> tuple[Reader, ColumnReader]:
    """For one row, and for many."""
    read, can_fail = _make_value_reader(field, pointer)
    try:
        convert = make_converter(field.type, field.time_zone, field.format, field.decimal)
    except BadDefinition as error:
        raise BadDefinition(f"{pointer}/{error}") from None
    if not can_fail and field.type == "any" and not field.required and field.default is None:
        return read, lambda rows: [read(row) for row in rows]
    default = _default(field, convert, pointer)

    def take(row: Row) -> Any:
        try:
            if (value := read(row)) is not None and (value := convert(value)) is not None:
                return value
        except RowRejected as error:
            return _failed(field, row, error)
        if default is None and field.required:
            return _failed(field, row, RowRejected("missing_field", f"{field.source} is missing or null."))
        return default

    def take_all(rows: Sequence[Row]) -> list[Any]:
        found = convert_texts(convert, [read(row) for row in rows]) if not can_fail else None
        return [take(row) for row in rows] if found is None else found

    return take, take_all


def _default(field: Field, convert: Callable[[Any], Any], pointer: str) -> Any:
    try:
        return None if field.default is None else convert(field.default)
    except RowRejected as error:
        raise BadDefinition(f"{pointer}/default: {error}") from None


def _failed(field: Field, row: Row, error: RowRejected) -> None:
    message = f"{field.to}: {error}"
    if field.on_error == "fail":
        raise SourceError(f"{message} The row: {repr(row)[:500]}", "mapping_failed") from None
    if field.on_error == "reject" or field.required:
        raise RowRejected(error.code, message) from None
    return None


# Expressions


class _Functions(Functions):  # type: ignore[misc]
    """Those of JMESPath, with decimals as numbers."""

    def _get_allowed_pytypes(self, types: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        names, elements = super()._get_allowed_pytypes(types)
        elements = [(*element, "Decimal") if "float" in element else element for element in elements]
        return [*names, "Decimal"] if "float" in names else names, elements

    def _convert_to_jmespath_type(self, name: str) -> str:
        return "number" if name == "Decimal" else str(super()._convert_to_jmespath_type(name))

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_type(self, value: Any) -> Any:
        return "number" if isinstance(value, Decimal) else super()._func_type(value)

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_number(self, value: Any) -> Any:
        number = value if isinstance(value, Decimal) else super()._func_to_number(value)
        return number if number is None or isfinite(number) else None

    @signature({"types": ["array-number"]})  # type: ignore[untyped-decorator]
    def _func_sum(self, numbers: list[Any]) -> Any:
        return sum(_alike(numbers))

    @signature({"types": ["array-number"]})  # type: ignore[untyped-decorator]
    def _func_avg(self, numbers: list[Any]) -> Any:
        return sum(_alike(numbers)) / len(numbers) if numbers else None

    @signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, glue: str, texts: list[str]) -> str:
        if len(glue) * len(texts) > MOST_BYTES:
            raise TooMuch
        return glue.join(texts)


def _alike(numbers: Iterable[Any]) -> list[Any]:
    numbers = list(numbers)
    if not any(isinstance(number, Decimal) for number in numbers):
        return numbers
    return [Decimal(repr(number)) if isinstance(number, float) else number for number in numbers]


def _make_reader(tree: Node, expression: str, pointer: str) -> Reader:
    _check(tree, pointer)
    interpreter = Interpreter(Options(custom_functions=_Functions()))

    def read(row: Row) -> Any:
        try:
            return interpreter.evaluate(tree, row)
        except EVALUATION_ERRORS as error:
            raise RowRejected("bad_value", f"{expression[:100]} fails: {str(error)[:300]}") from None

    return read


def _make_simple_reader(names: list[str]) -> Reader:
    """For a name, or names joined by dots: what the interpreter gives, without it."""
    outer, *inner = names
    if not inner:
        return lambda row: row.get(outer)
    flat = ".".join(names)

    def read(row: Row) -> Any:
        value = row.get(outer)
        for name in inner:
            if not isinstance(value, dict):
                return row.get(flat)
            value = value.get(name)
        return row.get(flat) if value is None else value

    return read


def _names(tree: Node) -> list[str]:
    parts = tree["children"] if tree["type"] == "subexpression" else [tree]
    return [part["value"] for part in parts] if all(part["type"] == "field" for part in parts) else []


def _parse(expression: str, pointer: str) -> Node:
    if not expression.strip() or len(expression) > MOST_CHARACTERS:
        raise BadDefinition(f"{pointer}: an expression has 1 to {MOST_CHARACTERS} characters; @ is the whole row.")
    try:
        tree: Node = jmespath.compile(expression).parsed
    except ParseError as error:
        raise BadDefinition(f"{pointer}: {_explained(expression, error)}") from None
    except (JMESPathError, *EVALUATION_ERRORS) as error:
        raise BadDefinition(f"{pointer}: {expression[:80]!r} is no JMESPath expression: {error}") from None
    return tree


def _explained(expression: str, error: ParseError) -> str:
    """In one line: the position counted from 1, what is wrong there, and how names are quoted."""
    if error.token_type is None or error.token_type == "EOF":
        reason = "it ends too early"
    else:
        reason = (
            error.message if isinstance(error, LexerError) else f"{str(error.token_value)[:40]!r} cannot stand there"
        )
    message = f"{expression[:80]!r} is no JMESPath expression: at character {error.lex_position + 1}, {reason}."
    return f"{message}{_quoting(expression)}"


def _quoting(expression: str) -> str:
    meant = len(expression) <= 80 and _meant_as_names.fullmatch(expression)
    parts = expression.split(".") if meant else ["-event_id"]
    quoted = ".".join(part if part.isascii() and part.isidentifier() else f'"{part}"' for part in parts)
    return (
        " Names with other characters than letters, digits and _, or with a digit first, are written within double"
        f" quotes: {quoted} (in JSON: {quoted.replace(chr(34), chr(92) + chr(34))})."
    )


def _check(node: Node, pointer: str) -> None:
    """Names of functions and the number of their arguments, which the library looks at for each row only."""
    if node["type"] == "function_expression":
        _check_function(node, pointer)
    elif any(child["type"] == "expref" for child in _children(node)) or node["type"] == "expref":
        raise BadDefinition(f"{pointer}: an expression after & can only be an argument of a function.")
    for child in _children(node):
        _check(child["children"][0] if child["type"] == "expref" else child, pointer)


def _check_function(node: Node, pointer: str) -> None:
    name, arguments = node["value"], node["children"]
    known = _Functions.FUNCTION_TABLE
    if name not in known:
        raise BadDefinition(f"{pointer}: there is no function {name}(); there are {', '.join(sorted(known))}.")
    wanted = known[name]["signature"]
    variadic = bool(wanted and wanted[-1].get("variadic"))
    if len(arguments) != len(wanted) and not (variadic and len(arguments) > len(wanted)):
        raise BadDefinition(f"{pointer}: {name}() takes {len(wanted)}{' or more' * variadic} argument(s).")
    for argument, parameter in zip(arguments, wanted, strict=False):
        if (argument["type"] == "expref") != ("expref" in parameter["types"]):
            raise BadDefinition(f"{pointer}: {name}() takes an expression after & in its own place only.")


def _children(node: Node) -> list[Node]:
    return [child for child in node.get("children", []) if isinstance(child, dict)]
