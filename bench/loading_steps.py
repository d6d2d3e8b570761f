"""Loading rows, timed in a process with the settings of the service. `main` does one step and prints JSON."""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO
from uuid import uuid4

import orjson
from django.db import connection, transaction
from django.utils import timezone

from bench.events import blocks_of
from data_handler.celery import app
from data_handler.garbage import collect_rarely
from ingest import chunks
from ingest.envelope import Limits, StreamRules, parse
from ingest.models import Stream
from ingest.rows import COLUMNS, NULL, copy_lines, rows_of
from sources.definition import Append, Upsert
from sources.keys import content_hash
from sources.load.append import Appender
from sources.load.changes import Changes
from sources.load.counts import Counts
from sources.load.records import Upserter
from sources.load.values import encode
from sources.models import Record, Source
from sources.rows import Row

STREAM = "bench.loading"
RECORD_COLUMNS = "source_id, key, value, hash, starts_at, ends_at, created_at, updated_at, run_id"
BARE = "CREATE TABLE bare_record (LIKE record INCLUDING ALL)"
COPY_BYTES = 1 << 18


def main() -> None:
    app.set_current()
    collect_rarely()
    step, rows, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(orjson.dumps({"records": records, "append": append, "copy_events": copy_events}[step](rows, batch)).decode())


def row(number: int) -> Row:
    """As a CSV file gives it."""
    chance = random.Random(number)
    return {
        "id": f"reading-{number:08}",
        "time": f"2026-01-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00Z",
        "site": "north",
        "sensor": f"greenhouse-{number % 24:02}",
        "kind": ("reading", "alarm", "status")[number % 3],
        "celsius": f"{chance.gauss(21.5, 2.0):.2f}",
        "humidity": f"{chance.uniform(35.0, 80.0):.1f}",
        "note": "" if number % 10 else "looked at by hand",
    }


def records(rows: int, batch: int) -> dict[str, float]:
    """Rows a second: of a bare COPY, of an upsert into the empty table, and of the same again."""
    source = Source.objects.create(name=f"bench-{uuid4().hex[:8]}", definition={})
    try:
        bare = _copy_records(source.pk, rows)
        first = _upsert(source, rows, batch, "inserted")
        again = _upsert(source, rows, batch, "unchanged")
    finally:
        _clear("TRUNCATE record")
        source.delete()
    return {"bare": bare, "first": first, "again": again}


def _upsert(source: Source, rows: int, batch: int, expected: str) -> float:
    """In one transaction. Making the rows is not counted: PostgreSQL idles meanwhile."""
    seconds, counts = 0.0, Counts()
    loader = Upserter(connection, source.pk, uuid4(), Upsert(key=["id"], starts_at="time"), Changes(source.name))
    began_at = time.perf_counter()
    with transaction.atomic():
        for start in range(0, rows, batch):
            made = [row(number) for number in range(start, min(rows, start + batch))]
            began = time.perf_counter()
            counts.add(loader.load(made, timezone.now()))
            seconds += time.perf_counter() - began
        began = time.perf_counter()
    loader.committed()
    seconds += time.perf_counter() - began
    assert seconds < time.perf_counter() - began_at
    if counts.numbers() != {expected: rows} or Record.objects.count() != rows:
        raise SystemExit(f"{rows} rows were to be {expected}, and were {counts.numbers()}")
    return rows / seconds


def _copy_records(source_id: int, rows: int) -> float:
    """Rows a second of one COPY of the same into a table with the same columns and indexes, from a file."""
    _clear("DROP TABLE IF EXISTS bare_record", BARE)
    statement = f"COPY bare_record ({RECORD_COLUMNS}) FROM STDIN"
    with tempfile.TemporaryFile() as file:
        file.writelines(_record_lines(source_id, rows))
        file.seek(0)
        began = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for block in _blocks(file):
                copy.write(block)
        seconds = time.perf_counter() - began
    _clear("DROP TABLE bare_record")
    return rows / seconds


def _record_lines(source_id: int, rows: int) -> Iterator[bytes]:
    tail = f"\t{NULL}\t{timezone.now()}\t{timezone.now()}\t{uuid4()}\n".encode()
    for number in range(rows):
        made = row(number)
        head = f"{source_id}\t{made['id']}\t".encode()
        yield head + encode(made) + f"\t\\\\x{content_hash(made).hex()}\t{made['time']}".encode() + tail


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(COPY_BYTES), b"")


def _clear(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in (*statements, "CHECKPOINT"):
            cursor.execute(statement)


def append(rows: int, batch: int) -> dict[str, float]:
    """The monotonic times at which appending began and was done."""
    made = [row(number) for number in range(rows)]
    loader = Appender(Append(stream=STREAM, key=["id"]))
    began = time.monotonic()
    for start in range(0, rows, batch):
        loader.load(made[start : start + batch], timezone.now())
    loader.finish(timezone.now())
    return {"began": began, "done": time.monotonic()}


def copy_events(rows: int, batch: int) -> dict[str, float]:
    """Rows a second of one COPY of the same events into their table."""
    stream_id = Stream.objects.get(name=STREAM).pk
    blocks = list(
        blocks_of([_event_lines(stream_id, range(at, min(rows, at + batch))) for at in range(0, rows, batch)])
    )
    began = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy(f"COPY event ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for block in blocks:
            copy.write(block)
    return {"bare": rows / (time.perf_counter() - began)}


def _event_lines(stream_id: int, numbers: range) -> bytes:
    lines = b"\n".join([encode(row(number)) for number in numbers])
    parsed = parse(lines, "application/x-ndjson", {}, StreamRules(), Limits())
    return copy_lines(rows_of(chunks.new_chunk_id(), [(stream_id, parsed.events)]))
