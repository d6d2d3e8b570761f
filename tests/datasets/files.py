"""Snapshots of files, made in this process and without a database."""

import io
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow
from msgspec import to_builtins
from pyarrow import parquet

from datasets.engine.extraction import extract
from datasets.engine.files import File
from datasets.engine.order import Extraction
from datasets.engine.table import Table
from datasets.snapshot import Snapshot
from tests.datasets.tables import opened

MEMORY_BYTES = 300_000_000
_numbers = count(1)


def read(
    folder: Path,
    content: bytes,
    name: str = "",
    *,
    rows: int = 1_000_000,
    unpacked_bytes: int = 100_000_000,
    seconds: float = 60.0,
    **decode: Any,
) -> Table:
    """Opened. `decode` as in a dataset's definition."""
    order = order_for(folder, content, name, rows, unpacked_bytes, seconds, **decode)
    extract(to_builtins(order), lambda *_: None)
    return opened(Path(order.folder))


def order_for(
    folder: Path,
    content: bytes,
    name: str,
    rows: int = 1_000_000,
    unpacked_bytes: int = 100_000_000,
    seconds: float = 60.0,
    **decode: Any,
) -> Extraction:
    where = folder / f"made-{next(_numbers)}"
    where.mkdir()
    path = folder / f"{where.name}.file"
    path.write_bytes(content)
    (folder / "temp").mkdir(exist_ok=True)
    file = File(str(path), name, "", None if decode == {"format": "parquet"} else decode, unpacked_bytes, rows, seconds)
    return Extraction(_described(), str(where), str(folder / "temp"), MEMORY_BYTES, 2, 1 << 40, file=file)


def types(table: Table) -> dict[str, str]:
    return {one.name: one.type for one in table.columns}


def in_order(table: Table) -> list[tuple[Any, ...]]:
    """Its rows as they are in the file."""
    table.connection.execute("SET preserve_insertion_order = true")
    return table.rows("SELECT * FROM data")


def parquet_of(table: pyarrow.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(table, out, **options)
    return out.getvalue()


def _described() -> Snapshot:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    return Snapshot("made", 1, "a file", 1, "upload", now, None, None, 0, 0, [], "")
