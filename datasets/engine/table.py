"""A snapshot as a table of DuckDB, in a process that may use so much memory and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets import snapshot
from datasets.snapshot import Column, Snapshot

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Table:
    """`name` is to be put into SQL as it is."""

    connection: "DuckDBPyConnection"
    name: str
    snapshot: Snapshot
    folder: Path

    @property
    def columns(self) -> list[Column]:
        return self.snapshot.columns

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(parameters)).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The only one."""
        [row] = self.rows(sql, parameters)
        return row


def quoted(name: str) -> str:
    """As an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """As a text of SQL, where no parameter can stand."""
    return "'" + text.replace("'", "''") + "'"


MOST_TEMP_BYTES = 8 << 30
"""What an analysis may put aside on disk when memory does not do. DuckDB's own bound is nine tenths of what is free."""


def connect(memory_bytes: int, threads: int, temp: Path) -> "DuckDBPyConnection":
    """A database in memory that spills into `temp`."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_bytes}B",
            "threads": str(threads),
            "temp_directory": str(temp),
            "max_temp_directory_size": f"{MOST_TEMP_BYTES}B",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "preserve_insertion_order": "false",
        },
    )
    connection.execute("SET TimeZone = 'UTC'")  # an extension's, which is there when the connection is
    connection.execute("SET enable_progress_bar = false")
    return connection


def open_table(connection: "DuckDBPyConnection", folder: Path, name: str) -> Table:
    """The snapshot in this folder as the view `name`."""
    described = snapshot.read(folder)
    files = ", ".join(literal(str(part)) for part in snapshot.parts(folder))
    columns = ", ".join(f"CAST({quoted(one.name)} AS {one.type}) AS {quoted(one.name)}" for one in described.columns)
    connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM read_parquet([{files}], union_by_name=true)")
    return Table(connection, name, described, folder)
