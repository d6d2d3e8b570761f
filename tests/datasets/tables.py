"""Tables to try kinds of analysis on: a snapshot's folder with the given rows, opened by DuckDB.

Types are those of the Python values (int: BIGINT, datetime with zone: TIMESTAMP WITH TIME ZONE, None alone: VARCHAR)
unless `types` names others: {"n": "HUGEINT"}, for which the values may be texts.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from datasets import snapshot
from datasets.engine.table import Table, connect, literal, open_table, quoted
from datasets.snapshot import Column, Snapshot

MEMORY_BYTES = 550_000_000
THREADS = 2
TAKEN_AT = datetime(2026, 1, 31, tzinfo=UTC)
TYPES = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    datetime: "TIMESTAMP WITH TIME ZONE",
    date: "DATE",
    UUID: "UUID",
}

Rows = Sequence[Mapping[str, Any]]
_numbers = count(1)


def make_table(
    folder: Path, rows: Rows, *, types: Mapping[str, str] = {}, time_column: str = "", parts: int = 1
) -> Table:
    """A snapshot of these rows in a new folder under `folder`, opened."""
    return opened(write_rows(folder, rows, types=types, time_column=time_column, parts=parts))


def make_tables(folder: Path, data: Rows, other: Rows, **options: Any) -> list[Table]:
    """Two of one connection, for kinds that take another dataset."""
    return opened_both(write_rows(folder, data, **options), write_rows(folder, other, **options))


def make_table_of(folder: Path, sql: str, *, time_column: str = "", parts: int = 1) -> Table:
    """A snapshot of what this query gives, opened. For many rows."""
    return opened(write_query(folder, sql, time_column=time_column, parts=parts))


def opened(folder: Path, name: str = "data") -> Table:
    return open_table(connect(MEMORY_BYTES, THREADS, folder), folder, name)


def opened_both(data: Path, other: Path) -> list[Table]:
    connection = connect(MEMORY_BYTES, THREADS, data)
    return [open_table(connection, folder, name) for name, folder in (("data", data), ("other", other))]


def write_rows(
    folder: Path, rows: Rows, *, types: Mapping[str, str] = {}, time_column: str = "", parts: int = 1
) -> Path:
    """The snapshot's folder. Columns are those of all rows, and those that only `types` names."""
    names = list(dict.fromkeys([name for row in rows for name in row] + list(types)))
    columns = {name: types.get(name) or _type([row.get(name) for row in rows]) for name in names}
    with _database() as connection:
        declared = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE made ({declared})")
        slots = ", ".join(f"CAST(? AS {kind})" for kind in columns.values())
        for start in range(0, len(rows), 500):
            some = rows[start : start + 500]
            values = [row.get(name) for row in some for name in names]
            connection.execute(f"INSERT INTO made VALUES {', '.join([f'({slots})'] * len(some))}", values)
        return _write(connection, folder, "FROM made", time_column, parts)


def write_query(folder: Path, sql: str, *, time_column: str = "", parts: int = 1) -> Path:
    with _database() as connection:
        connection.execute(f"CREATE TABLE made AS {sql}")
        return _write(connection, folder, "FROM made", time_column, parts)


def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": str(THREADS), "autoload_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, sql: str, time_column: str, parts: int) -> Path:
    where = folder / f"snapshot-{next(_numbers)}"
    where.mkdir(parents=True)
    [(rows,)] = connection.execute(f"SELECT count(*) {sql}").fetchall()
    size = -(-rows // parts) or 1
    for part in range(parts):
        selected = f"SELECT * {sql} LIMIT {size} OFFSET {part * size}"
        connection.execute(f"COPY ({selected}) TO {literal(str(where / f'{part:04}.parquet'))} (FORMAT parquet)")
    described = connection.execute(f"DESCRIBE {sql}").fetchall()
    columns = [Column(name, kind) for name, kind, *_ in described]
    snapshot.write(where, _described(where, columns, rows, time_column))
    return where


def _described(where: Path, columns: list[Column], rows: int, time_column: str) -> Snapshot:
    return Snapshot(
        id=where.name,
        dataset=1,
        dataset_name="made",
        dataset_version=1,
        kind="upload",
        taken_at=TAKEN_AT,
        starts_at=None,
        ends_at=None,
        rows=rows,
        bytes=sum(part.stat().st_size for part in snapshot.parts(where)),
        columns=columns,
        time_column=time_column,
    )


def _type(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return "DOUBLE"
    return TYPES.get(kinds.pop(), "VARCHAR") if len(kinds) == 1 else "VARCHAR"
