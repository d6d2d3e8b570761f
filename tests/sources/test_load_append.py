"""Rows become events, through the buffer, each once."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
import redis
from django.db import connection, transaction
from pytest_django import Settings

from ingest import buffer, feed
from ingest.flush import flush
from ingest.models import Event, Stream
from sources.definition import Append
from sources.errors import BadDefinition, LoadDelayed, LoadFailed
from sources.keys import content_hash
from sources.load import announcer as announcing
from sources.load.append import Appender
from sources.load.counts import Counts
from sources.rows import Row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_producer")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPEC = Append(stream="weather", key=["id"])
ROW: Row = {"id": 7, "type": "reading", "time": "2026-01-31T12:00:00+01:00", "celsius": Decimal("21.50")}


@pytest.fixture
def own_producer(redis_clean: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has only just begun; what it has not announced at the end is nothing to the next test."""
    monkeypatch.setattr(announcing, "_announcer", None)
    yield
    announcing.announcer().flush()


def append(*rows: Row, spec: Append = SPEC) -> Counts:
    loader = Appender(spec)
    counts = loader.load(rows, NOW)
    counts.add(loader.finish(NOW))
    return counts


def stored() -> list[Event]:
    flush()
    return list(Event.objects.order_by("id"))


def payload_text() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM event")
        return str(cursor.fetchone()[0])


def test_a_row_becomes_an_event_of_a_stream_that_is_made_for_it() -> None:
    assert append(ROW).numbers() == {"appended": 1}
    [event] = stored()
    assert (event.stream.name, event.type, event.time) == ("weather", "reading", datetime(2026, 1, 31, 11, tzinfo=UTC))
    assert event.key == f"7:{content_hash(ROW).hex()}"
    assert orjson.loads(payload_text()) == {**ROW, "celsius": 21.5}
    assert '"celsius": 21.50' in payload_text()


def test_a_time_is_iso_text_with_z() -> None:
    append({"id": 1, "at": datetime(2026, 1, 31, 12, tzinfo=UTC)})
    assert stored()[0].payload == {"id": 1, "at": "2026-01-31T12:00:00Z"}


@pytest.mark.parametrize("key", [["id"], []], ids=["by key", "by content"])
def test_the_same_rows_again_are_stored_once(key: list[str]) -> None:
    spec = Append(stream="weather", key=key)
    rows = [{"id": number} for number in range(10)]
    for _ in range(2):
        assert append(*rows, spec=spec).numbers() == {"appended": 10}
    assert [event.payload for event in stored()] == rows
    assert append(*rows, spec=spec).numbers() == {"appended": 10}
    assert len(stored()) == 10


def test_a_changed_row_of_the_same_key_is_a_new_event() -> None:
    append({"id": 1, "n": 1})
    append({"id": 1, "n": 2}, {"n": 1, "id": 1})
    assert {event.payload["n"] for event in stored()} == {1, 2}


def test_long_keys_of_different_rows_stay_different() -> None:
    append(*({"id": "x" * 255, "n": number} for number in range(2)))
    assert [len(event.key or "") for event in stored()] == [255, 255]


def test_the_stream_says_where_type_and_time_stand_and_the_source_may_say_the_type() -> None:
    Stream.objects.create(name="weather", type_path="kind", time_path="meta.at")
    row = {"id": 1, "kind": "gust", "meta": {"at": 1769860800}}
    append(row)
    append({**row, "id": 2}, spec=Append(stream="weather", key=["id"], type="wind"))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert [(event.type, event.time) for event in stored()] == [("gust", at), ("wind", at)]


def test_an_id_that_would_be_too_long_for_a_posted_event_is_no_reason_to_reject() -> None:
    assert append({"id": "x" * 300}, spec=Append(stream="weather")).numbers() == {"appended": 1}


def test_bad_rows_are_rejected_and_their_neighbours_are_not() -> None:
    Stream.objects.create(name="weather", schema={"properties": {"n": {"type": "integer"}}}, schema_mode="enforce")
    bad: list[Row] = [{"id": 2, "x": "\0"}, {"id": None}, {"id": 3, "x": float("nan")}, {"id": 4, "n": "one"}]
    counts = append({"id": 1}, *bad, {"id": 5, "n": 1})
    assert counts.numbers() == {"appended": 2}
    by_code = {rejected.code: rejected.row for rejected in counts.rejected}
    assert by_code == dict(zip(("nul_character", "no_key", "number_not_finite", "schema_violation"), bad, strict=True))
    assert [event.payload["id"] for event in stored()] == [1, 5]


def test_rows_of_many_bytes_come_in_several_chunks() -> None:
    rows = [{"id": number, "text": "x" * 900_000} for number in range(10)]
    assert append(*rows).numbers() == {"appended": 10}
    assert sum(len(buffer.peek(shard, 1 << 30)) for shard in buffer.shards()) == 3
    assert [event.payload["id"] for event in stored()] == list(range(10))


def test_no_row_is_no_chunk() -> None:
    assert append().numbers() == {}
    assert buffer.size().events == 0


def test_a_name_that_no_stream_may_have_fails_the_run() -> None:
    with pytest.raises(LoadFailed, match="cannot be a stream"):
        append(ROW, spec=Append(stream="-"))


def test_a_type_that_no_event_may_have_is_a_bad_definition() -> None:
    with pytest.raises(BadDefinition, match=r"load\.type"):
        Appender(Append(stream="weather", type="x" * 256))


def test_a_full_buffer_is_waited_for(settings: Settings) -> None:
    settings.BUFFER_MAX_BYTES = 1
    for shard in buffer.shards():
        assert buffer.push(shard, bytes([shard]) * 16, 1) != buffer.FULL
    emptying = threading.Timer(0.3, lambda: buffer.client().flushdb())
    began = time.monotonic()
    emptying.start()
    assert append(ROW).numbers() == {"appended": 1}
    assert time.monotonic() - began >= 0.3
    emptying.join()


def test_a_buffer_that_stays_full_delays_the_run(settings: Settings) -> None:
    settings.BUFFER_MAX_BYTES = 1
    for shard in buffer.shards():
        buffer.push(shard, bytes([shard]) * 16, 1)
    with pytest.raises(LoadDelayed, match="too many events wait") as raised:
        Appender(SPEC, patience_seconds=0.2).load([ROW], NOW)
    assert raised.value.temporary


def test_a_buffer_that_is_away_delays_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = redis.Redis.from_url("unix:///nowhere.sock")
    monkeypatch.setattr(buffer, "_script", lambda text: nowhere.register_script(text))
    with pytest.raises(LoadDelayed, match="takes nothing now"):
        Appender(SPEC, patience_seconds=0.2).load([ROW], NOW)


def test_a_push_whose_answer_is_lost_is_one_push(monkeypatch: pytest.MonkeyPatch) -> None:
    push = buffer.push

    def lose_the_answer(*arguments: object) -> int:
        push(*arguments)  # type: ignore[arg-type]
        monkeypatch.setattr(buffer, "push", push)
        raise redis.TimeoutError("lost")

    monkeypatch.setattr(buffer, "push", lose_the_answer)
    assert append(ROW).numbers() == {"appended": 1}
    assert sum(buffer.pushed().values()) == buffer.size().events == 1


def test_what_is_appended_is_announced_and_leaves_no_gap_in_the_feed(settings: Settings) -> None:
    settings.NOTIFY_MAX_EVENTS = 5
    append(*({"id": number, "type": "reading"} for number in range(30)), {"id": 99, "x": "\0"})
    append({"id": 30})
    assert feed.position().seq == 31
    entries = feed.read(0, 100).entries
    counts = [count for entry in entries for count in orjson.loads(entry.counts)]
    assert counts == [["weather", "reading", 30], ["weather", None, 1]]
    shown = [orjson.loads(event[2])["payload"]["id"] for entry in entries for event in orjson.loads(entry.events)]
    assert shown == [25, 26, 27, 28, 29, 30]
    for now in (1e6, 2e6, 3e6):
        assert feed.reconcile(now) == 0
    assert feed.position().seq == 31 == buffer.size().events


def test_what_is_appended_is_announced_soon_even_when_no_more_comes() -> None:
    Appender(SPEC).load([ROW], NOW)
    deadline = time.monotonic() + 5
    while feed.position().seq == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert feed.position().seq == 1


def test_what_a_process_takes_along_is_missed_by_number() -> None:
    Appender(SPEC).load([], NOW)
    producer = announcing.announcer().producer
    buffer.push(0, b"x" * 16, 4, producer)
    feed.reconcile(100)
    assert feed.reconcile(100 + feed.SETTLE_SECONDS) == 4


def test_what_redis_did_not_take_is_announced_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "AGAIN_SECONDS", 0.05)
    announcing.announcer()
    with monkeypatch.context() as away:
        nowhere = redis.Redis.from_url("unix:///nowhere.sock")
        away.setattr(feed, "_script", lambda text: nowhere.register_script(text))
        append(ROW)
        append({"id": 8})
    deadline = time.monotonic() + 5
    while feed.position().seq < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert feed.position().seq == 2


def test_a_batch_that_is_rolled_back_leaves_the_stream_of_its_events() -> None:
    loader = Appender(SPEC)
    with transaction.atomic():
        loader.load([ROW], NOW)
        transaction.set_rollback(True)
    assert [event.stream.name for event in stored()] == ["weather"]
