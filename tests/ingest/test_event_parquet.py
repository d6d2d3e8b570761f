"""Events as Parquet: what DuckDB and pyarrow read is what the API says, and a file that fails is none."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import orjson
import pyarrow
import pytest
from django.conf import settings
from django.test import Client
from pyarrow import parquet as pq

from ingest import chunks, export, files, parquet
from ingest.errors import QueryTooSlow
from ingest.members import Sql
from ingest.models import Stream
from ingest.parquet import ParquetWriter
from ingest.pieces import Id, Reader
from ingest.reading import EventQuery
from ingest.selection import EVENTS
from ingest.writer import write_chunks
from tests.ingest.factory import make_stream, read_in_pieces

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

AT_MS = 1_795_000_000_000
TEXTS = [b'{"n": 12345678901234567890.5, "text": "a\\"\\u2028\\n"}', b"{}", b'{"n": null, "deep": [{"x": 1}]}']


def store(stream: Stream, *payloads: bytes, at_ms: int = AT_MS, time: str | None = None) -> None:
    events = [(f'k"{n}', "t\\" if n else None, time, payload) for n, payload in enumerate(payloads)]
    write_chunks([chunks.encode(chunks.new_chunk_id(at_ms), [(stream.pk, events)])])


ALL = EventQuery()


def table(query: EventQuery = ALL, fields: str | None = None) -> pyarrow.Table:
    selection = EVENTS.parse_selection(fields) if fields else EVENTS.all
    return pq.read_table(io.BytesIO(b"".join(files.parquet(export.reader(query), selection))))


def test_it_holds_what_the_list_shows(api: Client) -> None:
    store(make_stream(), *TEXTS, time="2026-01-31 12:00:00.5+00")
    listed = api.get("/api/events/?order=oldest").json()["results"]
    rows = table().to_pylist()
    assert [{**row, "payload": orjson.loads(row["payload"])} for row in rows] == [
        {**event, **{name: datetime.fromisoformat(event[name]) for name in ("time", "received_at")}} for event in listed
    ]
    assert "12345678901234567890.5" in rows[0]["payload"]


def test_duckdb_knows_the_types_and_looks_into_the_payload(tmp_path: Path) -> None:
    store(make_stream(), *TEXTS)
    file = tmp_path / "events.parquet"
    file.write_bytes(b"".join(files.parquet(export.reader(ALL), EVENTS.all)))
    found = duckdb.connect()
    types = {name: type for name, type, *_ in found.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()}
    assert types == {
        "id": "VARCHAR", "stream": "VARCHAR", "type": "VARCHAR", "key": "VARCHAR", "payload": "JSON",
        "time": "TIMESTAMP WITH TIME ZONE", "received_at": "TIMESTAMP WITH TIME ZONE",
    }  # fmt: skip
    deep = found.execute(f"SELECT payload ->> '$.deep[0].x' FROM '{file}' WHERE received_at > '2026-01-01'").fetchall()
    assert deep == [(None,), (None,), ("1",)]


def test_filters_and_fields_hold_here_too(api: Client) -> None:
    store(make_stream(), *TEXTS)
    store(make_stream("doors"), b'{"n": 7}', at_ms=AT_MS + 1)
    query = urlencode({"format": "parquet", "fields": "payload.n,stream,received_at", "payload.n__exists": "true"})
    answer = api.get(f"/api/events/export/?{query}")
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert answer.headers["Content-Disposition"].endswith('filename="events.parquet"')
    rows = table(fields="payload.n,stream,received_at").to_pylist()
    at = datetime.fromtimestamp(AT_MS / 1000, UTC)
    assert rows[0] == {"payload.n": "12345678901234567890.5", "stream": "sensors", "received_at": at}
    assert [row["payload.n"] for row in rows] == ["12345678901234567890.5", None, "null", "7"]
    assert [row["stream"] for row in table(EventQuery(streams=frozenset(["doors"]))).to_pylist()] == ["doors"]


def test_without_events_there_is_a_file_with_columns_alone() -> None:
    found = table(fields="id,payload.n")
    assert (found.num_rows, found.column_names) == (0, ["id", "payload.n"])


def test_pieces_become_groups_of_rows_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_pieces(monkeypatch, rows=3)
    monkeypatch.setattr(parquet, "ROWS_A_GROUP", 5)
    store(make_stream(), *(b'{"n": %d}' % n for n in range(20)))
    pieces = list(files.parquet(export.reader(ALL), EVENTS.all))
    assert len([piece for piece in pieces if piece]) == 5  # the first has the beginning of the file alone
    file = pq.ParquetFile(io.BytesIO(b"".join(pieces)))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [6, 6, 6, 2]
    assert [json.loads(text)["n"] for text in file.read()["payload"].to_pylist()] == list(range(20))


def test_large_events_make_small_groups() -> None:
    writer = ParquetWriter([("payload", "json")])
    most = 0
    for n in range(100):
        writer.add([(f'"{n}{"x" * 1_000_000}"',)])
        most = max(most, sum(batch.nbytes for batch in writer._batches))
    assert most < parquet.BYTES_A_GROUP


def test_what_fails_half_way_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_pieces(monkeypatch, rows=1)
    monkeypatch.setattr(parquet, "ROWS_A_GROUP", 1)
    store(make_stream(), *TEXTS)
    pieces = files.parquet(_failing_after(3, export.reader(ALL)), EVENTS.all)
    sent = b"".join(islice(pieces, 5))
    with pytest.raises(QueryTooSlow):
        next(pieces)
    assert len(sent) > 100
    with pytest.raises(pyarrow.ArrowInvalid):
        pq.read_table(io.BytesIO(sent))


def _failing_after(pieces: int, reader: Reader) -> Reader:
    begins: set[Id | None] = set()

    def failing(last: Id | None, rows: int) -> Sql:
        begins.add(last)
        if len(begins) > pieces:
            raise QueryTooSlow(1, "Ask for less.")
        return reader.scan(last, rows)

    return replace(reader, scan=failing)


def test_a_process_that_makes_no_file_does_not_load_pyarrow() -> None:
    program = "import django, sys; django.setup(); import data_handler.urls; sys.exit('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
