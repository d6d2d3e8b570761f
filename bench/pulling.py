"""(i) A table as CSV over HTTP into records, and into a stream: the whole of a run, by a worker of the service.

Against a bare COPY of the same rows, as they were stored, into a table like theirs with its indexes: as (a) does. And
beside it against one of the file as it came, into a plain table of its columns without key or index.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from bench.bodies import COLUMNS, TYPES, write_csv
from bench.figures import Figure, Round, per_event
from bench.provider import providing
from bench.stack import Stack
from bench.workers import forget, pull
from ingest.rows import COLUMNS as COLUMNS_OF_EVENTS

FIRST_TARGET = 0.3
AGAIN_TARGET = 1.5
APPEND_TARGET = 0.3
COPY_BYTES = 1 << 18
PLAIN = f"CREATE TABLE bare ({', '.join(f'{name} {type}' for name, type in COLUMNS.items())})"
STORED = {
    "record": "source_id, key, value, hash, starts_at, ends_at, created_at, updated_at, run_id",
    "event": ", ".join(COLUMNS_OF_EVENTS),
}
MAP = [{"to": name, "from": name, "type": TYPES.get(type, type)} for name, type in COLUMNS.items()]
LOADS: dict[str, dict[str, Any]] = {
    "upsert": {"kind": "upsert", "key": ["id"], "starts_at": "time"},
    "append": {"kind": "append", "stream": "bench.pulled", "key": ["id"]},
}


def measure_pulling(stack: Stack, rounds: int, rows: int) -> Iterator[Figure]:
    """Each figure again after every round."""
    first = Figure("i, upsert", f"CSV of {rows:,} rows into no records", "rows/s", "bare COPY", FIRST_TARGET)
    first_plain = Figure("i, upsert (2)", first.title, "rows/s", "COPY into a plain table")
    again = Figure("i, again", "the same once more, unchanged", "rows/s", "first time", AGAIN_TARGET)
    append = Figure("i, append", "the same rows to stored events", "rows/s", "bare COPY", APPEND_TARGET)
    append_plain = Figure("i, append (2)", append.title, "rows/s", "COPY into a plain table")
    with tempfile.TemporaryDirectory(prefix="data-handler-bench-") as folder, providing(Path(folder)) as url:
        table, stored = Path(folder) / "table.csv", Path(folder) / "stored"
        write_csv(table, rows)
        for _ in range(rounds):
            plain = rows / _copy(stack, PLAIN, ", ".join(COLUMNS), table, "(FORMAT csv, HEADER)")
            inserted = _upsert(stack, url, rows, "inserted", first)
            first_plain.rounds.append(Round(inserted, plain))
            yield first_plain
            again.rounds.append(Round(_upsert(stack, url, rows, "unchanged", again), inserted))
            yield again
            first.rounds.append(Round(inserted, rows / _copy_stored(stack, "record", stored)))
            yield first
            appended = _append(stack, url, rows, append)
            append_plain.rounds.append(Round(appended, plain))
            yield append_plain
            append.rounds.append(Round(appended, rows / _copy_stored(stack, "event", stored)))
            yield append


def _upsert(stack: Stack, url: str, rows: int, expected: str, figure: Figure) -> float:
    stack.clear()
    return rows / float(_run(stack, url, "upsert", rows, expected, figure)["seconds"])


def _append(stack: Stack, url: str, rows: int, figure: Figure) -> float:
    """Rows a second until all are stored as events."""
    stack.clear()
    found = _run(stack, url, "append", rows, "appended", figure)
    figure.notes.append(f"{rows / found['seconds']:,.0f} rows/s until all were in the buffer")
    return rows / (stack.wait_stored(rows) - float(found["began"]))


def _run(stack: Stack, url: str, load: str, rows: int, expected: str, figure: Figure) -> dict[str, Any]:
    extract = {"kind": "http", "url": f"{url}/table.csv", "conditional": False}
    before = stack.cpu_seconds()
    found = pull(stack, f"bench-{load}", {"version": 1, "extract": extract, "map": MAP, "load": LOADS[load]})
    figure.notes = [f"CPU µs a row: {per_event(before, stack.cpu_seconds(), rows)}"]
    counts = {name: count for name, count in found["counts"].items() if count}
    if counts != {"decoded": rows, expected: rows}:
        raise SystemExit(f"{rows} rows were to be {expected}: {counts}")
    return found


def _copy(stack: Stack, create: str, columns: str, path: Path, options: str = "") -> float:
    """Seconds of one COPY in one transaction."""
    stack.database.execute("DROP TABLE IF EXISTS bare")
    stack.database.execute(create)
    stack.database.execute("CHECKPOINT")
    began = time.perf_counter()
    statement = f"COPY bare ({columns}) FROM STDIN {options}"
    with path.open("rb") as file, stack.database.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for block in _blocks(file):
            copy.write(block)
    seconds = time.perf_counter() - began
    stack.database.execute("DROP TABLE bare")
    return seconds


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(COPY_BYTES), b"")


def _copy_stored(stack: Stack, table: str, path: Path) -> float:
    """Seconds of a COPY of all rows of a table, which are forgotten there, into one like it."""
    statement = f"COPY (SELECT {STORED[table]} FROM {table} ORDER BY id) TO STDOUT"
    with path.open("wb") as file, stack.database.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        file.writelines(copy)
    forget(stack)
    return _copy(stack, f"CREATE TABLE bare (LIKE {table} INCLUDING ALL)", STORED[table], path)
