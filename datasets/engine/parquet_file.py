"""An uploaded Parquet file as a part of a snapshot: structures flattened, other nested values as JSON, plain types."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb.sqltypes import DuckDBPyType

from datasets.engine.files import MOST_COLUMNS, File
from datasets.engine.members import MOST_LEVELS
from datasets.engine.parts import parquet
from datasets.engine.table import literal, quoted
from datasets.errors import SnapshotFailed
from datasets.snapshot import Column

MAGIC = b"PAR1"
AS_THEY_ARE = {"BIGINT", "UBIGINT", "BOOLEAN", "VARCHAR", "TIMESTAMP WITH TIME ZONE", "DATE", "UUID"}
INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"}


@dataclass(frozen=True)
class Leaf:
    """A column that is made: SQL of its value, and its type."""

    path: tuple[str, ...]
    value: str
    type: str


def is_meant(file: File) -> bool:
    """Whether it is Parquet that should be read as such. Raises SnapshotFailed: it should be, and is not."""
    with Path(file.path).open("rb") as opened:
        is_parquet = opened.read(len(MAGIC)) == MAGIC
    if file.decode is None and not is_parquet:
        raise SnapshotFailed("The file is no Parquet file: name its format, or leave decode.format out.")
    return is_parquet and (file.decode is None or file.decode.get("format", "auto") == "auto")


def convert(connection: duckdb.DuckDBPyConnection, file: File, part: Path) -> tuple[int, list[Column]]:
    """Write the one part; its rows and columns. Raises SnapshotFailed."""
    source = f"read_parquet({literal(file.path)}, hive_partitioning=false)"
    try:
        _check_rows(connection, file)
        leaves = _leaves(connection, source)
        select = ", ".join(f"{leaf.value} AS {quoted(name)}" for name, leaf in leaves.items())
        connection.execute(f"COPY (SELECT {select} FROM {source}) TO {literal(str(part))} {parquet(len(leaves))}")
        [(rows,)] = connection.execute(f"SELECT count(*) FROM read_parquet({literal(str(part))})").fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        said = str(error).partition("\n")[0].replace(file.path, file.name)
        raise SnapshotFailed(f"The Parquet file cannot be read: {said}") from error
    return int(rows), [Column(name, leaf.type) for name, leaf in leaves.items()]


def _check_rows(connection: duckdb.DuckDBPyConnection, file: File) -> None:
    sql = f"SELECT num_rows FROM parquet_file_metadata({literal(file.path)})"
    [(rows,)] = connection.execute(sql).fetchall()
    if rows > file.rows:
        raise SnapshotFailed(f"The file has {rows:,} rows, more than {file.rows:,}: send it in parts.")


def _leaves(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, Leaf]:
    """By the name of their column. DuckDB tells no names apart by case."""
    relation = connection.sql(f"SELECT * FROM {source}")
    found: dict[str, Leaf] = {}
    taken: set[str] = set()
    for name, type in zip(relation.columns, relation.types, strict=True):
        for leaf in _flattened((name,), quoted(name), type):
            found[_free(".".join(leaf.path) or "(empty)", taken)] = leaf
            if len(found) > MOST_COLUMNS:
                raise SnapshotFailed(f"The file has more than {MOST_COLUMNS:,} columns: leave some out.")
    return found


def _free(title: str, taken: set[str]) -> str:
    name, number = title, 1
    while name.casefold() in taken:
        number += 1
        name = f"{title} ({number})"
    taken.add(name.casefold())
    return name


def _flattened(path: tuple[str, ...], value: str, type: DuckDBPyType) -> Iterator[Leaf]:
    if type.id == "struct" and len(path) < MOST_LEVELS:
        for name, inner in type.children:
            assert isinstance(inner, DuckDBPyType)
            yield from _flattened((*path, name), f"struct_extract({value}, {literal(name)})", inner)
    else:
        yield Leaf(path, *_plain(value, type))


def _plain(value: str, type: DuckDBPyType) -> tuple[str, str]:
    name = str(type)
    if type.id in ("double", "float"):
        return f"CASE WHEN isfinite({value}) THEN CAST({value} AS DOUBLE) END", "DOUBLE"
    if name in AS_THEY_ARE:
        return value, name
    if name in INTEGERS:
        return f"CAST({value} AS BIGINT)", "BIGINT"
    if type.id.startswith("timestamp"):
        return f"CAST({value} AS TIMESTAMP WITH TIME ZONE)", "TIMESTAMP WITH TIME ZONE"
    if type.id == "decimal":
        return f"CAST({value} AS DOUBLE)", "DOUBLE"
    if type.id in ("struct", "list", "array", "map", "union"):
        return f"CAST(to_json({value}) AS VARCHAR)", "VARCHAR"
    return f"CAST({value} AS VARCHAR)", "VARCHAR"
