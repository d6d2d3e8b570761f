"""Rows of any SELECT as JSON has them, and nothing of them lost.

numbers       as numbers where a double keeps them exactly, as texts where it does not (9007199254740993, 0.1 with 20
              more digits), and so "NaN", "Infinity", "-Infinity"
times         ISO 8601, UTC with Z; before Christ and infinity as DuckDB writes them
blobs         hexadecimal
lists, structures, maps, JSON    as lists and objects
all else      texts as DuckDB writes them
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datasets.errors import Refused

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

MOST_BYTES = 12 << 20
"""Of all rows of an answer, as JSON; a result may have 16 MiB."""
ROWS_AT_A_TIME = 200
MOST_EXACT = 2**53 - 1
DAY_AND_TIME = r"'^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d[.\d]*)(\+00)?$'"
MOST_LEVELS = 100


def rows(
    connection: "DuckDBPyConnection", sql: str, types: Sequence["DuckDBPyType | None"], limit: int
) -> Iterator[list[Any]]:
    """The first `limit` rows of a SELECT with columns of these types, without those columns that have None.

    Raises Refused.
    """
    names = [f"c{number}" for number in range(len(types))]
    values = [_value(name, str(kind.id)) for name, kind in zip(names, types, strict=True) if kind is not None]
    connection.execute(
        f"SELECT json_array({', '.join(values)}) FROM (\n{sql}\n) AS answer({', '.join(names)}) LIMIT {limit}"
    )
    size = 0
    while some := connection.fetchmany(ROWS_AT_A_TIME):
        for (text,) in some:
            size += len(text)
            if size > MOST_BYTES:
                raise Refused(
                    f"The answer has more than {MOST_BYTES >> 20} MiB: ask for fewer columns or rows, or for the"
                    " beginnings of long texts with left(text, 100).",
                    code="result_too_large",
                )
            yield _decoded(text)


def _value(name: str, kind: str) -> str:
    if kind == "blob":
        return f"lower(hex({name}))"
    if kind.startswith("timestamp"):
        return f"regexp_replace(CAST({name} AS VARCHAR), {DAY_AND_TIME}, '\\1T\\2{'Z' if 'zone' in kind else ''}')"
    return name


def _decoded(text: str) -> list[Any]:
    try:
        row: list[Any] = _decoder.decode(text)
        if text.count("[") + text.count("{") <= MOST_LEVELS or not _is_deep(row):
            return row
    except RecursionError:
        pass
    raise Refused(f"A value is nested too deeply: in more than {MOST_LEVELS} levels.")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [one for outer in level if isinstance(outer, list | dict) for one in _members(outer)]
    return bool(level)


def _members(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _integer(digits: str) -> int | str:
    return digits if len(digits) > 15 and abs(int(digits)) > MOST_EXACT else int(digits)


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if Decimal(digits) == Decimal(repr(number)) else digits


def _no_number(name: str) -> str:
    return name


_decoder = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=_no_number)
