"""Events as files: all that the filters select, in order, however slowly a client reads and however large they are."""

import csv
import io
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from psycopg.abc import Buffer
from psycopg.pq import TransactionStatus

from access.keys import create_key
from access.models import Scope
from ingest import chunks, export, files, pieces
from ingest.errors import QueryTooSlow
from ingest.members import Sql
from ingest.models import Event, Stream
from ingest.reading import EventQuery
from ingest.selection import EVENTS
from ingest.writer import write_chunks
from tests.ingest.factory import make_stream, read_in_pieces

Get = Callable[..., Awaitable[Any]]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

AT_MS = 1_795_000_000_000


@pytest.fixture
def stream() -> Stream:
    return make_stream()


@pytest.fixture
def get() -> Get:
    headers = {"authorization": f"Bearer {create_key('reader', [Scope.READ])[1]}"}
    return partial(AsyncClient().get, headers=headers)


def store(stream: Stream, *payloads: Any, type: str | None = None, key: str | None = None, after_ms: int = 0) -> None:
    events = [(key, type, None, orjson.dumps(payload)) for payload in payloads]
    write_chunks([chunks.encode(chunks.new_chunk_id(AT_MS + after_ms), [(stream.pk, events)])])


async def body(get: Get, path: str = "/api/events/export/", **query: Any) -> str:
    answer = await get(path, {"ends_at": "2027-01-01T00:00:00Z", **query})
    assert answer.status_code == 200, answer.content
    return b"".join([piece async for piece in answer.streaming_content]).decode()


async def lines(get: Get, path: str = "/api/events/export/", **query: Any) -> list[Any]:
    return [json.loads(line) for line in (await body(get, path, **query)).split("\n")[:-1]]


async def table(get: Get, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(await body(get, format="csv", **query), newline="")))


async def test_lines_are_the_events_of_the_list_oldest_first(get: Get, stream: Stream) -> None:
    odd = {"text": 'a\\b "c"\n\t\u2028\x01é', "number": 1.5, "deep": [{"x": [None, True]}], "": {}}
    await sync_to_async(store)(stream, odd, type='a"\\\n', key="k\t")
    await sync_to_async(store)(stream, {"n": 2}, after_ms=1500)
    listed = (await get("/api/events/", {"order": "oldest"})).json()["results"]
    assert await lines(get) == listed
    assert await lines(get, "/api/streams/sensors/events/export/") == listed
    assert listed[0]["payload"] == odd
    assert (listed[0]["type"], listed[0]["key"]) == ('a"\\\n', "k\t")
    assert [event["received_at"][-8:] for event in listed] == ["1:06:40Z", ".500000Z"]


def test_the_name_of_a_stream_is_written_as_json_has_it() -> None:
    name = 'a"\\b%s{x}é\n'
    store(make_stream(name), {"n": 1})
    lines = b"".join(files.ndjson(export.reader(EventQuery(streams=frozenset({name}))), EVENTS.all))
    assert json.loads(lines)["stream"] == name


async def test_the_filters_are_those_of_the_list(get: Get, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_pieces(monkeypatch, rows=3)
    doors = await sync_to_async(make_stream)("doors")
    for n in range(20):
        await sync_to_async(store)(doors if n % 5 == 0 else stream, {"n": n}, type=f"t{n % 2}", after_ms=n)
    await sync_to_async(store)(stream, {"n": 20}, key="k", after_ms=20)
    asked: list[dict[str, Any]] = [
        {"type": "t1"},
        {"key": "k"},
        {"stream": ["sensors", "doors"], "type": ["t0", "t1"]},
        {"stream": "doors"},
        {"stream": "nothing"},
        {"payload.n__in": "3,19"},
        {"starts_at": "2026-11-18T11:06:40.005Z", "ends_at": "2026-11-18T11:06:40.009Z"},
        {"fields": "payload.n,stream", "payload.n__gte": "18"},
    ]
    for query in asked:
        listed = (await get("/api/events/", {"order": "oldest", **query})).json()["results"]
        assert await lines(get, **query) == listed, query


async def test_numbers_keep_their_digits(get: Get, stream: Stream) -> None:
    digits = b'{"n": 12345678901234567890.12345678901234567890}'
    await sync_to_async(write_chunks)(
        [chunks.encode(chunks.new_chunk_id(AT_MS), [(stream.pk, [(None, None, None, digits)])])]
    )
    for format in ("ndjson", "csv"):
        assert "12345678901234567890.12345678901234567890" in await body(get, format=format, fields="payload.n")


async def test_a_table_has_a_column_for_each_member_and_no_formula(get: Get, stream: Stream) -> None:
    await sync_to_async(store)(stream, {"n": 1, "=x": "=1+1", "list": [1]}, type="=cmd", key="-k")
    [row] = await table(get)
    assert list(row) == ["id", "stream", "type", "key", "time", "received_at", "payload"]
    assert (row["type"], row["key"], row["time"], json.loads(row["payload"])["n"]) == ("'=cmd", "'-k", "", 1)
    [row] = await table(get, fields="payload.=x,payload.list,payload.none,payload.n")
    assert list(row.values()) == ["'=1+1", "[1]", "", "1"]
    assert await body(get, format="csv", fields="id,key", key="none") == "id,key\r\n"


async def test_pieces_are_made_when_they_are_asked_for_and_keep_no_transaction_open(
    get: Get, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in_pieces(monkeypatch, rows=3)
    await sync_to_async(store)(stream, *({"n": n} for n in range(7)))
    answer = await get("/api/events/export/", {"ends_at": "2027-01-01T00:00:00Z"})
    pieces = aiter(answer.streaming_content)
    seen = await anext(pieces)
    assert len(seen.splitlines()) == 3
    await sync_to_async(until)(lambda: open_transactions() == 0)
    await sync_to_async(store)(stream, {"n": 7}, after_ms=1)
    seen += b"".join([piece async for piece in pieces])
    assert [json.loads(line)["payload"]["n"] for line in seen.splitlines()] == list(range(8))


def open_transactions() -> int:
    """Of other connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("text", [lambda: random.randbytes(400_000).hex(), lambda: "x" * 800_000])
def test_a_piece_of_large_events_is_no_larger_than_a_few_of_them(stream: Stream, text: Callable[[], str]) -> None:
    """However well PostgreSQL compresses them."""
    random.seed(1)
    for _ in range(20):
        store(stream, {"text": text()})
    sizes = [len(piece) for piece in files.ndjson(export.reader(EventQuery()), EVENTS.all)]
    assert sum(sizes) > 16_000_000
    assert max(sizes) < pieces.BYTES_A_PIECE + 1_000_000


def test_large_events_before_small_ones_cost_few_queries_and_none_makes_too_much(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    random.seed(1)
    store(stream, *({"text": random.randbytes(450_000).hex()} for _ in range(6)))
    store(stream, *({"n": n} for n in range(4000)), after_ms=1)
    sizes = list[int]()

    class Measured(pieces._Bytes):
        def load(self, data: Buffer) -> bytes:
            sizes.append(len(data))
            return super().load(data)

    monkeypatch.setattr(pieces, "_Bytes", Measured)
    reader, asked = noted(export.reader(EventQuery()))
    made = list(reader.lines(EVENTS.all))
    assert sum(piece.count(b"\n") for piece in made) == 4006
    assert max(sizes) < pieces.BYTES_A_PIECE + 1_000_000
    assert len(asked) < 20


def noted(reader: pieces.Reader) -> tuple[pieces.Reader, list[int]]:
    """And how many rows it was asked for, each time."""
    asked = list[int]()

    def scan(last: pieces.Id | None, rows: int) -> Sql:
        asked.append(rows)
        return reader.scan(last, rows)

    return replace(reader, scan=scan), asked


def test_between_pieces_there_are_empty_ones_also_where_nothing_is_wanted(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in_pieces(monkeypatch, rows=2)
    store(stream, *({"n": n} for n in range(5)))
    everything = [piece.count(b"\n") for piece in files.ndjson(export.reader(EventQuery()), EVENTS.all)]
    assert everything == [0, 2, 0, 2, 0, 1]
    assert list(files.ndjson(export.reader(EventQuery(key="none")), EVENTS.all)) == [b"", b"", b""]


@pytest.mark.parametrize("format", files.FORMATS)
def test_while_an_empty_piece_is_handled_no_transaction_is_open(
    format: str, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in_pieces(monkeypatch, rows=2)
    store(stream, *({"n": n} for n in range(5)))
    _, make = files.FORMATS[format]
    for piece in make(export.reader(EventQuery()), EVENTS.all):
        if not piece:
            assert connection.connection.info.transaction_status == TransactionStatus.IDLE


def test_while_lines_are_handled_the_next_query_is_under_way(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_pieces(monkeypatch, rows=2)
    store(stream, *({"n": n} for n in range(5)))
    pieces = filter(None, files.ndjson(export.reader(EventQuery()), EVENTS.all))
    assert [connection.connection.info.transaction_status for _ in pieces] == [TransactionStatus.ACTIVE] * 3


def test_who_ends_early_finds_the_connection_as_it_was(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_pieces(monkeypatch, rows=2)
    store(stream, *({"n": n} for n in range(5)))
    for pieces_taken in range(1, 6):
        made = files.ndjson(export.reader(EventQuery()), EVENTS.all)
        list(islice(made, pieces_taken))
        made.close()
        check_connection(events=5)


def test_a_query_that_is_too_slow_fails_after_the_pieces_before_it(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.QUERY_TIMEOUT_SECONDS = 0.2
    read_in_pieces(monkeypatch, rows=2)
    store(stream, *({"n": n} for n in range(5)))
    wanted = Sql("CASE WHEN payload['n']::integer >= 2 THEN pg_sleep(5) IS NOT NULL ELSE true END", [])
    made = files.ndjson(replace(export.reader(EventQuery()), wanted=wanted), EVENTS.all)
    assert (next(made), next(made).count(b"\n")) == (b"", 2)
    with pytest.raises(QueryTooSlow):
        next(made)
    check_connection(events=5)


def check_connection(events: int) -> None:
    """That it is at rest, and of use."""
    assert connection.connection.info.transaction_status == TransactionStatus.IDLE
    assert Event.objects.count() == events


def test_who_handles_a_piece_for_long_gets_the_others_all_the_same(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """PostgreSQL waits with a result that is larger than a socket's buffer, and its time goes on."""
    settings.QUERY_TIMEOUT_SECONDS = 0.5
    read_in_pieces(monkeypatch, rows=3)
    store(stream, *({"text": "x" * 800_000} for _ in range(9)))
    lines = 0
    for piece in files.ndjson(export.reader(EventQuery()), EVENTS.all):
        lines += piece.count(b"\n")
        if piece:
            time.sleep(1)
    assert lines == 9


async def test_who_asks_for_the_head_alone_gets_no_file(get: Get, stream: Stream) -> None:
    await sync_to_async(store)(stream, {"n": 1})
    headers = {"authorization": f"Bearer {(await sync_to_async(create_key)('head', [Scope.READ]))[1]}"}
    for path in ("/api/events/export/", "/api/records/export/"):
        answer = await AsyncClient().head(path, headers=headers)
        assert (answer.status_code, answer.streaming, answer.content) == (200, False, b"")
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (await AsyncClient().head("/api/events/export/?key", headers=headers)).status_code == 400


def test_more_are_read_at_once_while_few_are_wanted(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "ROWS_A_PIECE", 2)
    monkeypatch.setattr(pieces, "ROWS_READ", 7)
    monkeypatch.setattr(pieces, "FEW_BYTES", 400)
    store(stream, *({"n": n} for n in range(20)), type="rare")
    store(stream, *({"n": n} for n in range(8)), type="often", after_ms=1)
    reader, asked = noted(export.reader(EventQuery(types=frozenset({"often"}))))
    made = [piece.count(b"\n") for piece in reader.lines(EVENTS.all)]
    assert (made, asked) == ([0, 0, 0, 0, 0, 7, 0, 1], [2, 4, 7, 7, 7, 2, 4])


async def test_events_that_arrive_meanwhile_are_not_followed_for_ever(
    get: Get, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in_pieces(monkeypatch, rows=2)
    before = chunks.encode(chunks.new_chunk_id(), [(stream.pk, [(None, None, None, b"{}")] * 3)])
    await sync_to_async(write_chunks)([before])
    answer = await get("/api/events/export/")
    pieces = aiter(answer.streaming_content)
    await anext(pieces)
    meanwhile = chunks.encode(chunks.new_chunk_id(), [(stream.pk, [(None, None, None, b"{}")])])
    await sync_to_async(write_chunks)([meanwhile])
    assert sum([len(piece.splitlines()) async for piece in pieces]) == 1


async def test_wrong_parameters_are_named(get: Get, stream: Stream) -> None:
    for query, names in [({"format": "xlsx"}, {"format"}), ({"limit": "5", "order": "newest"}, {"limit", "order"})]:
        answer = await get("/api/events/export/", query)
        assert answer.status_code == 400
        assert set(answer.json()["fields"]) == names
