"""Whether a text of SQL only reads the dataset: decided on DuckDB's own parse of it, by what is allowed.

That a statement is a SELECT says little: `WITH a AS (COPY … TO 'file') FROM a` is one, and so is a view of DuckDB's
settings. So each part of the tree has to be of a kind known here, each table is `data` or a name that the statement
itself gives, each function in FROM is one of TABLE_FUNCTIONS, and none is one of FORBIDDEN_FUNCTIONS. What a newer
DuckDB adds is refused until it is listed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from datasets.errors import Refused

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from duckdb import Statement as DuckDBStatement

TABLE = "data"
TABLE_FUNCTIONS = {"generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest"}
FORBIDDEN_FUNCTIONS = {
    # tell of the process and its machine
    *("current_setting", "getvariable", "pg_get_viewdef", "json_serialize_plan", "json_deserialize_sql"),
    # change something, or only take time
    *("write_log", "nextval", "currval", "setval", "sleep_ms", "pg_sleep"),
}
NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"}
SOURCES = {"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"}
MODIFIERS = {"DISTINCT_MODIFIER", "LIMIT_MODIFIER", "ORDER_MODIFIER"}
ORDERS = {"ASCENDING", "DESCENDING", "ORDER_DEFAULT"}
PARTS = NODES | SOURCES | MODIFIERS | ORDERS
EXPRESSIONS = {
    *("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION"),
    *("LAMBDA", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"),
}
PARSE = "SELECT json_serialize_sql(?, skip_default := true, skip_null := true, skip_empty := true)"


@dataclass(frozen=True)
class Statement:
    """`sql` without a semicolon at its end. `references`: the names of columns in it, taken apart at dots."""

    sql: str
    references: frozenset[tuple[str, ...]]


def examine(connection: "DuckDBPyConnection", sql: str) -> Statement:
    """Raises Refused."""
    parts = list(_Parts(sql).of(_parsed(connection, sql)))
    references = [tuple(part["column_names"]) for part in parts if part.get("class") == "COLUMN_REF"]
    references += [tuple(_path(part)[:-1]) for part in parts if part.get("class") == "FUNCTION"]
    return Statement(_without_semicolon(sql), frozenset(reference for reference in references if reference))


def _parsed(connection: "DuckDBPyConnection", sql: str) -> Any:
    """The tree of the one SELECT."""
    import duckdb

    try:
        _check_kind(connection.extract_statements(sql))
        [(text,)] = connection.execute(PARSE, [sql]).fetchall()
        parsed = msgspec.json.decode(text)
    except duckdb.Error as error:
        raise Refused(str(error)) from None
    except RecursionError:
        raise Refused("The SQL is nested too deeply.") from None
    if parsed["error"]:
        raise Refused(parsed["error_message"])
    return parsed["statements"][0]["node"]


def _check_kind(statements: list["DuckDBStatement"]) -> None:
    import duckdb

    if len(statements) != 1:
        raise Refused(f"One SELECT is taken; these are {len(statements)} statements.")
    if statements[0].type == duckdb.StatementType.MULTI:
        raise Refused(f"PIVOT needs its values: PIVOT {TABLE} ON column IN (…) USING …")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise Refused(f"{statements[0].type.name} is not taken: a query is one SELECT.")


def _without_semicolon(sql: str) -> str:
    import duckdb

    data = sql.encode()
    for start, kind in duckdb.tokenize(sql):
        if kind == duckdb.token_type.operator and data[start : start + 1] == b";":
            return data[:start].decode()
    return sql


class _Parts:
    def __init__(self, sql: str) -> None:
        self._sql = sql.encode()

    def of(self, tree: Any) -> Iterator[dict[str, Any]]:
        """Each part of the tree, all of them allowed. Raises Refused."""
        waiting = [(tree, frozenset({TABLE}))]
        while waiting:
            value, known = waiting.pop()
            if isinstance(value, list):
                waiting += [(one, known) for one in value]
            elif isinstance(value, dict):
                self._check(value, known)
                yield value
                waiting += _inside(value, known)

    def _check(self, part: dict[str, Any], known: frozenset[str]) -> None:
        if "class" in part:
            self._check_expression(part)
        elif isinstance(part.get("type"), str):
            if part["type"] not in PARTS:
                self._refuse(part, f"{_in_words(part['type'])} is not taken: a query only reads.")
            self._check_source(part, known)
        elif "info_type" in part:
            self._refuse(part, f"{_in_words(part['info_type'])} is not taken: a query only reads.")

    def _check_expression(self, part: dict[str, Any]) -> None:
        if part["class"] == "PARAMETER":
            self._refuse(part, "Nothing gives parameters such as ? and $1 their values: write these into the SQL.")
        if part["class"] not in EXPRESSIONS:
            self._refuse(part, f"{_in_words(part['class'])} is not taken here.")
        if part["class"] in ("FUNCTION", "WINDOW") and part["function_name"].lower() in FORBIDDEN_FUNCTIONS:
            self._refuse(part, f"The function {part['function_name']} is not available.")

    def _check_source(self, part: dict[str, Any], known: frozenset[str]) -> None:
        if part["type"] == "BASE_TABLE":
            path = _path(part)
            if len(path) != 1 or path[0].lower() not in known:
                self._refuse(part, f"There is no table {'.'.join(path)}: the only one is {TABLE}.")
        elif part["type"] == "TABLE_FUNCTION":
            path = _path(part["function"])
            if len(path) != 1 or path[0].lower() not in TABLE_FUNCTIONS:
                self._refuse(part, f"The function {'.'.join(path)} is not available in FROM.")
        elif part["type"] == "SHOW_REF" and not part.get("query"):
            self._refuse(part, f"SHOW is not taken. DESCRIBE {TABLE} tells the columns.")

    def _refuse(self, part: dict[str, Any], message: str) -> NoReturn:
        at = part.get("query_location")
        if at is None:
            raise Refused(message)
        before = self._sql[:at].decode(errors="replace").split("\n")
        raise Refused(f"{message} (Line {len(before)}, column {len(before[-1]) + 1}.)")


def _inside(part: dict[str, Any], known: frozenset[str]) -> list[tuple[Any, frozenset[str]]]:
    """What stands in a part, with the tables that are known there.

    A name that WITH gives is known from the next one on, and to itself only where it recurs, after UNION: elsewhere the
    same name would be one of DuckDB's own.
    """
    waiting = []
    for named in part.get("cte_map", {}).get("map", []):
        waiting.append((named["value"], known))
        known |= {named["key"].lower()}
    for member, value in part.items():
        recurs = part.get("type") == "RECURSIVE_CTE_NODE" and member == "right"
        if member != "cte_map":
            waiting.append((value, known | {part["cte_name"].lower()} if recurs else known))
    return waiting


def _path(part: dict[str, Any]) -> list[str]:
    path: list[str] = part.get("qualified_name", {}).get("path", [])
    return path


def _in_words(name: str) -> str:
    return name.removesuffix("_NODE").removesuffix("_QUERY").removesuffix("_INFO").replace("_", " ")
