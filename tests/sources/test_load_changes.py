"""Records that changed are seen on the live feed, as events that are stored like any other."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
import redis
from django.db import connection, transaction
from pytest_django import Settings

from ingest import buffer, feed, progress
from ingest.flush import flush
from ingest.models import Event
from sources.definition import Replace
from sources.load import announcer as announcing
from sources.load.changes import Changes
from sources.load.replace import Replacer
from sources.models import Source
from sources.rows import Row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_producer")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def own_producer(redis_clean: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has only just begun; what it has not announced at the end is nothing to the next test."""
    monkeypatch.setattr(announcing, "_announcer", None)
    yield
    announcing.announcer().flush()


@pytest.fixture
def source() -> Source:
    return Source.objects.create(name="zones", definition={})


def replace(source: Source, *rows: Row) -> None:
    loader = Replacer(connection, source.pk, uuid4(), Replace(key=["id"]), Changes(source.name))
    with transaction.atomic():
        loader.load(rows, NOW)
        loader.finish(NOW)
        assert feed.position().seq == seen_before(source), "nothing is told before the commit"
    loader.committed()


def seen_before(source: Source) -> int:
    return sum(count for _, _, count in counts())


def counts() -> list[list[Any]]:
    return [count for entry in feed.read(0, 100).entries for count in orjson.loads(entry.counts)]


def shown() -> list[tuple[str, str, Any]]:
    events = [event for entry in feed.read(0, 100).entries for event in orjson.loads(entry.events)]
    return [(stream, type, orjson.loads(text)["payload"]) for stream, type, text in events]


def test_each_change_is_an_event_of_the_records_of_the_source(source: Source) -> None:
    replace(source, {"id": 1, "n": 1}, {"id": 2, "n": 1}, {"id": 3})
    replace(source, {"id": 1, "n": 2}, {"id": 3})
    assert sorted(shown()[:3], key=str) == [
        ("records.zones", "inserted", {"source": "zones", "key": str(row["id"]), "value": row})
        for row in ({"id": 1, "n": 1}, {"id": 2, "n": 1}, {"id": 3})
    ]
    assert shown()[3:] == [
        ("records.zones", "updated", {"source": "zones", "key": "1", "value": {"id": 1, "n": 2}}),
        ("records.zones", "deleted", {"source": "zones", "key": "2", "value": None}),
    ]


def test_what_did_not_change_is_not_told(source: Source) -> None:
    replace(source, {"id": 1})
    seq = feed.position().seq
    replace(source, {"id": 1})
    assert feed.position().seq == seq == 1


def test_of_many_changes_some_are_shown_and_all_are_counted(source: Source, settings: Settings) -> None:
    settings.NOTIFY_MAX_EVENTS = 5
    replace(source, *({"id": number} for number in range(100)))
    assert sum(count for _, _, count in counts()) == 6
    replace(source, {"id": 0, "n": 1}, *({"id": number} for number in range(100, 120)))
    flush()
    told = [event.payload for event in Event.objects.filter(type="more").order_by("id")]
    assert told[0] == {"source": "zones", "inserted": 95, "updated": 0, "deleted": 0}
    each = [Event.objects.filter(type=type).count() for type in ("inserted", "updated", "deleted")]
    assert [sum(more[type] for more in told) for type in ("inserted", "updated", "deleted")] == [
        120 - each[0],
        1 - each[1],
        99 - each[2],
    ]


def test_values_too_large_to_show_are_counted(source: Source) -> None:
    replace(source, {"id": 1, "text": "x" * 70_000}, {"id": 2})
    assert [(type, payload.get("key"), payload.get("inserted")) for _, type, payload in shown()] == [
        ("inserted", "2", None),
        ("more", None, 1),
    ]


def test_what_is_received_is_what_is_stored_and_the_feed_has_no_gap(source: Source) -> None:
    replace(source, *({"id": number} for number in range(20)))
    flush()
    assert (feed.position().seq, progress.read().stored, Event.objects.count()) == (20, 20, 20)
    for now in (1e6, 2e6, 3e6):
        assert feed.reconcile(now) == 0
    assert sum(buffer.pushed().values()) == 20


def test_a_buffer_that_is_away_is_no_harm(
    source: Source, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = redis.Redis.from_url("unix:///nowhere.sock")
    monkeypatch.setattr(buffer, "_script", lambda text: nowhere.register_script(text))
    monkeypatch.setattr("sources.load.changes.PATIENCE_SECONDS", 0.1)
    replace(source, {"id": 1})
    assert source.records.count() == 1
    assert "cannot be shown live" in caplog.text


def test_a_source_with_a_long_name_has_a_stream_too() -> None:
    replace(Source.objects.create(name="z" * 92, definition={}), {"id": 1})
    [(stream, _, payload)] = shown()
    assert (stream, payload["source"]) == (f"records.{'z' * 92}", "z" * 92)
