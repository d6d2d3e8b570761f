"""`query`: the answer of one SELECT over the dataset, in DuckDB's SQL."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from datasets.engine import answer, lockdown, statement, structure
from datasets.engine.statement import TABLE, Statement
from datasets.errors import MemoryLimitExceeded, Refused
from datasets.kinds.kind import Kind, Progress, register

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

    from datasets.engine.table import Table

MOST_CHARACTERS = 20_000
MOST_ROWS = 10_000
LONGEST_MESSAGE = 4_000
NO_MEMBER = re.compile(
    r'^Binder Error: Referenced table "(payload|value)" not found!\nCandidate tables: .*$', re.MULTILINE
)
FLAT = "snapshot"
"""The view with the snapshot's own columns. SQL cannot name it."""


class QueryParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """`limit`: of rows."""

    sql: Annotated[str, Meta(min_length=1, max_length=MOST_CHARACTERS)]
    limit: Annotated[int, Meta(ge=1, le=MOST_ROWS)] = 1000


@register
class QueryKind(Kind[QueryParameters]):
    name, title, Parameters = "query", "SQL query", QueryParameters

    def run(self, tables: Sequence["Table"], parameters: QueryParameters, progress: Progress) -> dict[str, Any]:
        """`row_count`: of the rows in the answer; `truncated`: there are more. Types are DuckDB's."""
        from datasets.engine.table import open_table

        connection, folder = tables[0].connection, tables[0].folder
        lockdown.lock(connection, folder)
        progress(0.0, "Running the SQL")
        with _errors(folder):
            found = statement.examine(connection, parameters.sql)
            hidden = _define(open_table(connection, folder, FLAT), found)
            relation = connection.sql(found.sql)
            columns = list(zip(relation.columns, relation.types, strict=True))
        types = [None if column == hidden else column[1] for column in columns]
        with _errors(folder, lines_before=1):
            rows = list(answer.rows(connection, found.sql, types, parameters.limit + 1))
        kept = rows[: parameters.limit]
        return {
            "columns": [{"name": column[0], "type": str(column[1])} for column in columns if column != hidden],
            "rows": kept,
            "row_count": len(kept),
            "truncated": len(rows) > len(kept),
        }


def _define(flat: "Table", found: Statement) -> tuple[str, "DuckDBPyType"] | None:
    """The view that SQL reads. Returns the name and the type of its column that `*` is not to show."""
    root = structure.ROOTS.get(flat.snapshot.kind, "")
    packed = structure.packed([column.name for column in flat.columns], root, found) if root else ""
    columns = f"*, {packed} AS {root}" if packed else "*"
    flat.connection.execute(f"CREATE OR REPLACE VIEW {TABLE} AS SELECT {columns} FROM {FLAT}")
    if not packed or structure.is_named(root, found):
        return None
    return root, flat.connection.sql(f"SELECT {root} FROM {TABLE}").types[0]


@contextmanager
def _errors(folder: Path, lines_before: int = 0) -> Iterator[None]:
    """DuckDB's errors as ours, without what its messages tell of the machine. Their lines are those of the user."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise MemoryLimitExceeded(
            "The SQL needs more memory than it may have: let it sort, group or join fewer rows or columns."
        ) from None
    except duckdb.Error as error:
        message = str(error)[:LONGEST_MESSAGE].partition("\n\nStack Trace")[0].replace(str(folder), "…")
        message = NO_MEMBER.sub(rf"\1 has no such member: DESCRIBE {TABLE} lists the columns.", message)
        raise Refused(
            re.sub(r"^LINE (\d+):", lambda line: f"LINE {int(line[1]) - lines_before}:", message, flags=re.MULTILINE)
        ) from None
