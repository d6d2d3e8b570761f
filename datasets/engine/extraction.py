"""A snapshot in the making: rows, out of PostgreSQL or a file, into Parquet files, and what is to be said of them."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

from datasets import snapshot
from datasets.engine import files, inference, parquet_file, selected_rows
from datasets.engine.files import Rejections
from datasets.engine.members import NOTHING, Members
from datasets.engine.order import Extraction
from datasets.engine.parts import Parts, check_size
from datasets.engine.selected_rows import Query
from datasets.engine.table import connect
from datasets.errors import MemoryLimitExceeded, SnapshotFailed
from datasets.kinds.kind import Progress
from datasets.snapshot import Column, Snapshot

if TYPE_CHECKING:
    import pyarrow

MOST_COLUMNS = 1000
SHARE_OF_READING = 0.95
READING, FINISHING = "reading rows", "finishing the snapshot"
TIMES = ("TIMESTAMP WITH TIME ZONE", "DATE")


def extract(request: Any, progress: Progress) -> Any:
    """Make the snapshot that an Extraction, as JSON has it, asks for; the snapshot. Raises AnalysisError."""
    order = msgspec.convert(request, Extraction, str_keys=True)
    try:
        with connect(order.memory_bytes, order.threads, Path(order.temp)) as connection:
            made = _of_query(order, order.query, connection, progress) if order.query else None
            made = made or _of_file(order, connection, progress)
    except duckdb.OutOfMemoryException:
        raise MemoryLimitExceeded(
            "The snapshot needs more memory than it may have: select less, or raise ANALYSIS_MAX_MEMORY_MB."
        ) from None
    except (OSError, duckdb.IOException) as error:
        reason = getattr(error, "strerror", None) or "see that there is space, and that the worker may write there"
        raise SnapshotFailed(f"The snapshot cannot be written into SNAPSHOTS_DIR: {reason}.") from error
    snapshot.write(Path(order.folder), made)
    return msgspec.to_builtins(made)


def _of_query(order: Extraction, query: Query, connection: duckdb.DuckDBPyConnection, progress: Progress) -> Snapshot:
    members = Members(query.text, MOST_COLUMNS)
    parts = Parts(connection, Path(order.folder), query.text, members, order.most_bytes)
    _fill(parts, ((chunk, query.share(parts.rows)) for chunk in selected_rows.chunks(query)), progress)
    progress(SHARE_OF_READING, FINISHING)
    columns = parts.finish()
    filled = [name for name in query.times if 2 * parts.filled[name] > parts.rows]
    return _described(order, parts.rows, columns, (filled or query.times[-1:])[0], members.notes())


def _of_file(order: Extraction, connection: duckdb.DuckDBPyConnection, progress: Progress) -> Snapshot:
    file = order.file
    assert file is not None
    connection.execute("SET preserve_insertion_order = true")
    if parquet_file.is_meant(file):
        progress(0.0, READING)
        rows, columns = parquet_file.convert(connection, file, Path(order.folder) / "000000.parquet")
        return _described(order, rows, columns, _time_column(columns), [])
    members, rejections = Members("", files.MOST_COLUMNS), Rejections()
    parts = Parts(connection, Path(order.folder), files.TEXT, members, order.most_bytes)
    _fill(parts, files.chunks(file, rejections), progress)
    progress(SHARE_OF_READING, FINISHING)
    columns = _typed(parts, parts.finish(), members)
    if not columns:
        raise SnapshotFailed(" ".join(["The file has no row that is a row of a table.", *rejections.notes()]))
    notes = [*rejections.notes(), *members.notes()]
    return _described(order, parts.rows, columns, _time_column(columns), notes, rejections.total)


def _typed(parts: Parts, columns: list[Column], members: Members) -> list[Column]:
    """A file of nothing but texts, such as CSV, says of no value what it is; another not what is a time."""
    texts = [member.name for member in members.columns if member.kinds - NOTHING == {"VARCHAR"}]
    is_untyped = all(member.kinds - NOTHING <= {"VARCHAR"} for member in members.columns)
    types = inference.ALL if is_untyped else inference.TIMES
    found = parts.infer(texts, types)
    return [Column(one.name, found.get(one.name, one.type)) for one in columns]


def _time_column(columns: list[Column]) -> str:
    for type in TIMES:
        for column in columns:
            if column.type == type:
                return column.name
    return ""


def _fill(parts: Parts, chunks: Iterable[tuple["pyarrow.Table", float]], progress: Progress) -> None:
    """One chunk is written while the next is read: two of them are in memory."""
    with ThreadPoolExecutor(1, thread_name_prefix="parts") as pool:
        writing: Future[None] | None = None
        for chunk, share in chunks:
            if writing is not None:
                writing.result()
            progress(SHARE_OF_READING * share, f"{READING}: {parts.rows:,}")
            writing = pool.submit(parts.add, chunk)
        if writing is not None:
            writing.result()


def _described(
    order: Extraction, rows: int, columns: list[Column], time_column: str, notes: list[str], rejected: int = 0
) -> Snapshot:
    size = sum(part.stat().st_size for part in snapshot.parts(Path(order.folder)))
    check_size(size, order.most_bytes)
    return msgspec.structs.replace(
        order.snapshot, rows=rows, bytes=size, columns=columns, time_column=time_column, notes=notes, rejected=rejected
    )
