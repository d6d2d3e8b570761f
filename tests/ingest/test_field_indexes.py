"""Indexes on members of payloads: made beside everything else, used by conditions, whole after any death."""

import random
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from django.db import Error as DatabaseError
from django.db import connection, transaction

from ingest import chunks, field_indexes, index_building
from ingest.conditions import parse
from ingest.envelope import Event
from ingest.field_indexes import BUILDING, FAILED, READY, Described
from ingest.models import FieldIndex, Stream
from ingest.partitions import make_partitions, partition_names
from ingest.reading import EventQuery, after, select
from ingest.writer import write_chunks
from tests.ingest.factory import make_stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean", "no_index_left")]

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MANY = 20_000
FILL = """
INSERT INTO event (id, received_at, stream_id, payload)
SELECT gen_random_uuid(), %s::timestamptz + n * interval '1 ms', %s,
    jsonb_build_object('site', 'site-' || n, 'n', n, 'deep', jsonb_build_array(jsonb_build_object('at', n::text)))
FROM generate_series(1, %s) AS n
"""
KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'
"""


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def wish(stream: Stream, path: str, kind: str) -> FieldIndex:
    return FieldIndex.objects.create(stream=stream, path=f"payload.{path}", kind=kind)


def state(index: FieldIndex) -> Described:
    [described] = field_indexes.described([FieldIndex.objects.get(pk=index.pk)])
    return described


def run(statement: str, *parameters: Any) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def plan(stream: Stream, name: str, text: str) -> str:
    """Of the newest hundred that meet the condition."""
    query = EventQuery(streams=frozenset([stream.name]), conditions=(parse(f"payload.{name}", text, "payload"),))
    return str(after(select(query), None, oldest_first=False)[:100].explain())


@pytest.mark.parametrize(
    ("path", "kind", "name", "text"),
    [
        ("site", "text", "site", "site-77"),
        ("site", "text", "site__in", "site-77,site-78"),
        ("site", "text", "site__gte", "site-9999"),
        ("deep.0.at", "text", "deep.0.at", '"77"'),
        ("n", "number", "n", "77"),
        ("n", "number", "n__in", "77,78.5,1e3"),
        ("n", "number", "n__gt", str(MANY - 20)),
        ("n", "number", "n__lte", "20"),
    ],
)
def test_a_condition_looks_into_the_index(stream: Stream, path: str, kind: str, name: str, text: str) -> None:
    run(FILL, NOW, stream.pk, MANY)
    index = wish(stream, path, kind)
    index_building.build(NOW)
    assert f"_field_{index.pk}" in plan(stream, name, text)
    assert f"_field_{index.pk}" not in plan(make_stream("other"), name, text)


def test_what_most_events_have_is_not_looked_up(stream: Stream) -> None:
    run(FILL, NOW, stream.pk, MANY)
    wish(stream, "n", "number")
    index_building.build(NOW)
    assert "_field_" not in plan(stream, "n__gt", "20")


def test_an_index_is_made_for_each_partition_and_says_how_large_it_is(stream: Stream) -> None:
    run(FILL, NOW, stream.pk, 1000)
    index = wish(stream, "n", "number")
    all_partitions = len(partition_names())
    assert state(index) == Described(index, BUILDING, all_partitions, 0, 0)
    assert index_building.build(NOW) == all_partitions
    ready = state(index)
    assert (ready.state, ready.built) == (READY, all_partitions)
    assert 20_000 < ready.bytes < 200_000
    assert index_building.build(NOW) == 0


def test_days_to_come_get_theirs(stream: Stream) -> None:
    index = wish(stream, "n", "number")
    index_building.build(NOW)
    days = make_partitions((datetime.now(UTC) + timedelta(days=3)).date())
    assert state(index).state == BUILDING
    assert index_building.build(NOW) == len(days) == 3
    assert state(index).state == READY
    for day in days:
        run(f"DROP TABLE event_{day:%Y%m%d}")


def test_what_is_no_longer_wished_for_is_dropped(stream: Stream) -> None:
    index = wish(stream, "n", "number")
    index_building.build(NOW)
    index.delete()
    index_building.build(NOW)
    assert field_indexes.parts() == []
    assert run("SELECT count(*) FROM pg_statistic_ext") == [(0,)]


def test_an_index_that_was_left_half_made_is_made_again(stream: Stream) -> None:
    index = wish(stream, "n", "number")
    index_building.build(NOW)
    name = field_indexes.name_of("event_default", index.pk)
    run(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass")
    assert state(index).state == BUILDING
    assert index_building.build(NOW) == 2
    assert state(index).state == READY


def test_a_builder_that_is_killed_does_no_harm(stream: Stream, postgres_dsn: str) -> None:
    index = wish(stream, "n", "number")
    with transaction.atomic():
        run(FILL, NOW, stream.pk, 1)  # whoever makes an index waits for those that are just storing
        builder = threading.Thread(target=build_until_killed)
        builder.start()
        kill_who_waits(postgres_dsn)
        builder.join(30)
    assert [part.is_valid for part in field_indexes.parts()].count(False) == 1
    assert state(index).state == BUILDING
    index_building.build(NOW)
    assert state(index).state == READY


def build_until_killed() -> None:
    with suppress(DatabaseError):
        index_building.build(NOW)
    connection.close()


def kill_who_waits(dsn: str) -> None:
    deadline = time.monotonic() + 20
    with psycopg.connect(dsn, autocommit=True) as killer:
        while not killer.execute(KILL).fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_while_one_builds_another_does_nothing(stream: Stream, postgres_dsn: str) -> None:
    index = wish(stream, "n", "number")
    with psycopg.connect(postgres_dsn, dbname=connection.settings_dict["NAME"], autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [index_building.LOCK])
        assert index_building.build(NOW) == 0
        other.execute("SELECT pg_advisory_unlock(%s)", [index_building.LOCK])
    assert index_building.build(NOW) > 0
    assert state(index).state == READY


def test_what_cannot_be_made_says_why_and_is_tried_again_later(stream: Stream) -> None:
    bad, good = wish(stream, "n", "number"), wish(stream, "site", "text")
    run(f"CREATE TABLE {field_indexes.name_of('event_default', bad.pk)} ()")
    index_building.build(NOW)
    failed = state(bad)
    assert (failed.state, state(good).state) == (FAILED, READY)
    assert "already exists" in failed.index.error
    run(f"DROP TABLE {field_indexes.name_of('event_default', bad.pk)}")
    assert index_building.build(NOW + index_building.RETRY / 2) == 0
    index_building.build(NOW + index_building.RETRY)
    assert (state(bad).state, state(bad).index.error) == (READY, "")


def test_events_with_anything_in_an_indexed_field_are_stored(stream: Stream) -> None:
    """An entry of an index has at most 2,704 bytes; PostgreSQL refuses a row that would need a larger one."""
    wish(stream, "x", "text")
    wish(stream, "x", "number")
    index_building.build(NOW)
    random.seed(1)
    odd = [random.randbytes(50_000).hex(), "\U0001f600" * 5000, [random.randbytes(5000).hex()], {"a": "b" * 9000}, None]
    payloads = [orjson.dumps({"x": value}) for value in odd] + [b'{"x": %s}' % (b"7" * 1000), b"{}"]
    events: list[Event] = [(None, None, None, payload) for payload in payloads]
    written = write_chunks([chunks.encode(chunks.new_chunk_id(), [(stream.pk, events)])])
    assert (written.stored, written.dead) == (len(payloads), 0)
