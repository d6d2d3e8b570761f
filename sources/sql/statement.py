"""What a database is asked."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from sources.definition import Sql
from sources.errors import BadDefinition

BINDS = ("cursor", "window_start", "window_end")
Window = tuple[datetime, datetime]
_COMMENTS = re.compile(r"(\s+|--[^\n]*(\n|$)|/\*(?!!|M!).*?\*/)*", re.DOTALL)
_READS = re.compile(r"\(*\s*(SELECT|WITH|VALUES|TABLE)\b", re.IGNORECASE)


def check_statement(spec: Sql) -> None:
    """Raises BadDefinition for what can be seen without asking the database."""
    if (spec.table is None) == (spec.query is None):
        raise BadDefinition("Either table or query must be given, and not both.")
    if spec.table is not None:
        _table(spec.table)
    if spec.query is not None:
        _query(spec.query)


def statement(
    spec: Sql,
    start: Any,
    window: Window | None,
    most_rows: int | None,
    nulls_first: bool,
    bindable: Callable[[Any], Any],
) -> sa.Executable:
    """With its parameters. `start`: the least value of the cursor. `nulls_first`: if the database does not by itself.

    In a window the cursor column is compared with the window; a query that uses one of the names itself is left alone.
    """
    check_statement(spec)
    values = {"cursor": start} | dict(zip(BINDS[1:], map(_utc, window or ()), strict=False))
    parameters = {name: _parameter(name, bindable(values.get(name))) for name in BINDS}
    if spec.table is not None:
        source, used = _table(spec.table), set[str]()
    else:
        query = _query(spec.query or "")
        used = set(query.compile().binds)
        query = query.bindparams(*(parameters[name] for name in used))
        if spec.cursor_column is None:
            return query
        source = query.columns().subquery("source")
    found = sa.select(sa.text("*")).select_from(source)
    if spec.cursor_column is not None:
        column: Any = sa.column(quoted_name(spec.cursor_column, quote=True))
        if window and not used & {"window_start", "window_end"}:
            found = found.where(column >= parameters["window_start"], column < parameters["window_end"])
        elif start is not None and "cursor" not in used and not window:
            found = found.where(column >= parameters["cursor"])
        found = found.order_by(column.nulls_first() if nulls_first and start is None and not window else column)
    return found.limit(most_rows) if most_rows else found


def _table(text: str) -> Any:
    parts = text.split(".")
    if len(parts) > 2 or not all(parts) or "\0" in text:
        raise BadDefinition(f"{text[:100]!r} is no table: write its name, or schema.name.")
    schema, name = parts if len(parts) == 2 else (None, parts[0])
    return sa.table(quoted_name(name, quote=True), schema=schema and quoted_name(schema, quote=True))


def _query(text: str) -> sa.TextClause:
    text = text.strip().rstrip(";")
    comments = _COMMENTS.match(text)
    if "\0" in text or not _READS.match(text, comments.end() if comments else 0):
        raise BadDefinition("A query must be one SELECT, WITH, VALUES or TABLE statement.")
    query = sa.text(f"{text}\n")  # its last line may be a comment
    if unknown := set(query.compile().binds) - set(BINDS):
        raise BadDefinition(
            f"The query uses :{', :'.join(sorted(unknown))}; it may use :{', :'.join(BINDS)}."
            " Write \\: for a colon that is not meant so."
        )
    return query


def _parameter(name: str, value: Any) -> Any:
    """Without a type: the database takes it for what it is compared with."""
    return sa.bindparam(name, value, type_=sa.types.NullType())


def _utc(time: datetime) -> str:
    """As all sessions read times without a zone."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
