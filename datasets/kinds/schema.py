"""`schema`: how many rows, which columns of which types, and some of the rows. Taking the snapshot is all the work."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from datasets.engine import answer
from datasets.engine.table import quoted
from datasets.kinds.kind import Kind, Progress, register
from datasets.snapshot import Column

if TYPE_CHECKING:
    from datasets.engine.table import Table

MOST_ROWS = 100
MOST_SAMPLED_BYTES = 1 << 20
MOST_CHARACTERS = 500
"""Of a text: longer ones are cut, with … at the end."""


class SchemaParameters(Struct, frozen=True, forbid_unknown_fields=True):
    pass


@register
class SchemaKind(Kind[SchemaParameters]):
    name, title, version, Parameters = "schema", "Rows and columns", 2, SchemaParameters

    def run(self, tables: Sequence["Table"], parameters: SchemaParameters, progress: Progress) -> dict[str, Any]:
        table = tables[0]
        columns = msgspec.to_builtins(table.columns)
        return {"rows": table.snapshot.rows, "columns": columns, "sample": sample(table) if columns else []}


def sample(table: "Table") -> list[list[Any]]:
    """Values as in answers to SQL. Fewer rows of a table that is very wide."""
    sql = f"SELECT {', '.join(map(_shown, table.columns))} FROM {table.name}"
    rows: list[list[Any]] = []
    size = 0
    for row in answer.rows(table.connection, sql, table.connection.sql(sql).types, MOST_ROWS):
        size += len(msgspec.json.encode(row))
        if rows and size > MOST_SAMPLED_BYTES:
            break
        rows.append(row)
    return rows


def _shown(column: Column) -> str:
    name = quoted(column.name)
    if column.type not in ("VARCHAR", "JSON"):
        return name
    text = f"CAST({name} AS VARCHAR)"
    return f"CASE WHEN length({text}) > {MOST_CHARACTERS} THEN left({text}, {MOST_CHARACTERS}) || '…' ELSE {text} END"
