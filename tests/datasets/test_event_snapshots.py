"""Events as tables: what is selected is there, typed, and nothing else."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from datasets import snapshot
from datasets.children import Limits
from ingest.chunks import received_at
from ingest.models import Event, Stream
from tests.datasets.tables import opened
from tests.datasets.taking import NOW, column, dataset, obtain, store, take
from tests.ingest.factory import make_stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean", "snapshots_dir")]


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def test_events_are_a_table_with_a_column_for_each_member(stream: Stream) -> None:
    store(stream, {"site": "north", "speed": 7, "motor": {"on": True, "rpm": 1200.5}, "tags": ["a"]}, {"speed": 8})
    table = take(dataset(streams=["sensors"]))
    assert {one.name: one.type for one in table.columns} == {
        "id": "UUID",
        "stream": "VARCHAR",
        "type": "VARCHAR",
        "key": "VARCHAR",
        "time": "TIMESTAMP WITH TIME ZONE",
        "received_at": "TIMESTAMP WITH TIME ZONE",
        "payload.site": "VARCHAR",
        "payload.speed": "BIGINT",
        "payload.motor.on": "BOOLEAN",
        "payload.motor.rpm": "DOUBLE",
        "payload.tags": "VARCHAR",
    }
    first, second = table.rows('SELECT * FROM data ORDER BY "payload.speed"')
    named = dict(zip((one.name for one in table.columns), first, strict=True))
    event = Event.objects.get(payload__speed=7)
    at = NOW - timedelta(minutes=5)
    assert (named["id"], named["stream"], named["type"], named["key"]) == (event.id, "sensors", "reading", event.key)
    assert (named["time"], named["received_at"]) == (at, received_at(UUID(str(event.id))))
    assert (named["payload.motor.on"], named["payload.motor.rpm"], named["payload.tags"]) == (True, 1200.5, '["a"]')
    assert second[6:].count(None) == 4


def test_it_says_what_it_is_of(stream: Stream) -> None:
    store(stream, {"n": 1}, {"n": 2})
    of = dataset(streams=["sensors"])
    folder = obtain(of)
    made = snapshot.read(folder)
    assert (made.dataset, made.dataset_name, made.dataset_version, made.kind) == (of.pk, "a dataset", 1, "events")
    assert (made.rows, made.taken_at, made.starts_at, made.ends_at) == (2, NOW, None, NOW)
    assert (made.time_column, made.notes, made.rejected) == ("time", [], 0)
    assert made.bytes == sum(part.stat().st_size for part in folder.glob("*.parquet"))
    of.refresh_from_db()
    assert (of.rows, of.snapshot_at) == (2, NOW)
    assert list(of.columns or [])[-1] == {"name": "payload.n", "type": "BIGINT"}


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        ({"streams": ["sensors"], "types": ["alarm"]}, [3]),
        ({"streams": ["others"]}, [4]),
        ({"streams": ["no such stream"]}, []),
        ({"conditions": {"payload.n__gte": "2", "payload.quote": 'it\'s \\ %s "x"'}}, [2]),
        ({"conditions": {"q": "north"}}, [1]),
        ({"window": {"last": "1h"}}, [1, 2, 4]),
        ({"window": {"starts_at": "2026-11-18T09:00:00Z", "ends_at": "2026-11-18T11:00:00Z"}}, [3]),
    ],
)
def test_it_has_what_is_selected_and_nothing_else(stream: Stream, definition: dict[str, Any], found: list[int]) -> None:
    store(stream, {"n": 1, "site": "north"}, {"n": 2, "quote": 'it\'s \\ %s "x"'})
    store(stream, {"n": 3}, type="alarm", at=NOW - timedelta(hours=2))
    store(make_stream("others"), {"n": 4})
    table = take(dataset(**definition))
    assert (column(table, "payload.n") if found else column(table, "id")) == found


def test_of_no_events_it_is_a_table_without_rows(snapshots_dir: Path) -> None:
    table = take(dataset(streams=["sensors"]))
    assert [one.name for one in table.columns] == ["id", "stream", "type", "key", "time", "received_at"]
    assert (table.snapshot.rows, table.rows("SELECT * FROM data")) == (0, [])
    assert table.snapshot.time_column == "received_at"


def test_streams_are_named_where_there_are_several(stream: Stream) -> None:
    store(stream, {"n": 1})
    store(make_stream("others"), {"n": 2})
    assert column(take(dataset()), "stream") == ["others", "sensors"]


def test_many_events_take_no_more_memory_than_few(stream: Stream) -> None:
    """300 MB of payloads, by a process that needs 200 MB for its libraries and may have 600."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO event (id, received_at, stream_id, payload) SELECT gen_random_uuid(), %s, %s,"
            " jsonb_build_object('n', n, 'note', repeat(md5(n::text), 100)) FROM generate_series(1, 90000) AS n",
            [NOW - timedelta(minutes=1), stream.pk],
        )
    of = dataset(streams=["sensors"])
    table = opened(obtain(of, limits=Limits(60.0, 600 << 20)))
    assert table.row('SELECT count(*), sum("payload.n") FROM data') == (90_000, 90_000 * 90_001 // 2)
