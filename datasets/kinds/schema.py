"""`schema`: how many rows, which columns of which types, and some of the rows. Taking the snapshot is all the work."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from datasets.engine.table import quoted
from datasets.kinds.kind import Kind, Progress, register

if TYPE_CHECKING:
    from datasets.engine.table import Table

MOST_ROWS = 100
MOST_CHARACTERS = 500
"""Of a value: long texts and lists are cut, with … at the end."""


class SchemaParameters(Struct, frozen=True, forbid_unknown_fields=True):
    pass


@register
class SchemaKind(Kind[SchemaParameters]):
    name, title, version, Parameters = "schema", "Rows and columns", 2, SchemaParameters

    def run(self, tables: Sequence["Table"], parameters: SchemaParameters, progress: Progress) -> dict[str, Any]:
        table = tables[0]
        columns = msgspec.to_builtins(table.snapshot.columns)
        return {"rows": table.snapshot.rows, "columns": columns, "sample": sample(table)}


def sample(table: "Table") -> list[list[Any]]:
    names = ", ".join(quoted(column.name) for column in table.columns)
    rows = table.rows(f"SELECT {names} FROM {table.name} LIMIT {MOST_ROWS}") if names else []
    return [[_shown(value) for value in row] for row in rows]


def _shown(value: Any) -> Any:
    """As JSON, not too long."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
