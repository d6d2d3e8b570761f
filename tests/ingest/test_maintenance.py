from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from access.models import AuditEntry
from ingest import buffer, chunks
from ingest.flush import flush
from ingest.maintenance import DELETE_BATCH, expire_events, maintain, prune_audit, prune_claims, prune_rollups
from ingest.models import Duplicate, Event, FlushedChunk, RollupMinute, RollupTotal
from ingest.partitions import make_partitions, partition_days
from tests.ingest.factory import make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def at(days_ago: float) -> int:
    return int((NOW - timedelta(days=days_ago)).timestamp() * 1000)


def numbers() -> list[int]:
    return sorted(event.payload["number"] for event in Event.objects.all())


def test_without_retention_nothing_goes() -> None:
    push_chunk(make_stream(), [make_event(1)], now_ms=at(1000))
    flush()
    assert expire_events(NOW) == (0, 0)
    assert numbers() == [1]


def test_events_past_their_streams_retention_go(settings: Settings) -> None:
    settings.RETENTION_DAYS = 30
    short, usual, ever = make_stream("short", retention_days=7), make_stream(), make_stream("ever", retention_days=0)
    for number, (stream, days_ago) in enumerate([(short, 8), (short, 6), (usual, 31), (usual, 29), (ever, 999)]):
        push_chunk(stream, [make_event(number)], now_ms=at(days_ago))
    flush()
    assert expire_events(NOW) == (0, 2)
    assert numbers() == [1, 3, 4]


def test_a_day_that_no_stream_keeps_goes_as_a_whole(settings: Settings) -> None:
    settings.RETENTION_DAYS = 30
    make_partitions((NOW - timedelta(days=33)).date())
    push_chunk(make_stream(), [make_event(1)], now_ms=at(32))
    push_chunk(make_stream("longer", retention_days=31), [make_event(2)], now_ms=at(30.5))
    flush()
    dropped, deleted = expire_events(NOW)
    assert (dropped, deleted) == (2, 0)
    assert (NOW - timedelta(days=31)).date() in partition_days()
    assert numbers() == [2]


def test_claims_older_than_the_window_are_forgotten() -> None:
    stream = make_stream()
    old = push_chunk(stream, [make_event(1, key="k"), make_event(2, key="k")], now_ms=at(8))
    flush()
    FlushedChunk.objects.update(flushed_at=NOW - timedelta(days=8))
    young = push_chunk(stream, [make_event(3, key="j"), make_event(4, key="j")], now_ms=at(6))
    flush()
    assert prune_claims(NOW) == 3
    assert FlushedChunk.objects.get().id == young != old
    assert Duplicate.objects.get().id == chunks.event_id(young, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM event_key")
        assert cursor.fetchall() == [("j",)]


def test_a_chunk_that_is_still_in_the_buffer_is_never_forgotten() -> None:
    chunk_id = push_chunk(make_stream(), [make_event()], now_ms=at(90))
    [chunk] = buffer.peek(0, 1 << 20)
    flush()
    buffer.push(0, chunk, 1)
    FlushedChunk.objects.update(flushed_at=NOW - timedelta(days=90))
    prune_claims(NOW)
    assert FlushedChunk.objects.get().id == chunk_id
    flush()
    assert Event.objects.count() == 1


def test_a_key_that_an_event_in_the_buffer_repeats_is_kept() -> None:
    stream = make_stream()
    push_chunk(stream, [make_event(1, key="k")], now_ms=at(7.1))
    flush()
    push_chunk(stream, [make_event(2, key="k")], now_ms=at(0.5))
    prune_claims(NOW)
    flush()
    assert numbers() == [1]


def test_counts_by_minute_are_forgotten_after_ninety_days_and_the_totals_stay() -> None:
    streams = [make_stream(), make_stream("doors")]
    for stream in streams:
        for days_ago in (91, 89, 1):
            push_chunk(stream, [make_event()], now_ms=at(days_ago))
    flush()
    assert prune_rollups(NOW) == 2
    assert RollupMinute.objects.count() == 4
    assert list(RollupTotal.objects.values_list("events", flat=True)) == [3, 3]
    assert maintain(NOW).rollups_pruned == 0


@pytest.mark.parametrize(("days", "kept"), [(30, [1, 29]), (0, [1, 29, 31, 1000])])
def test_the_audit_log_is_kept_as_long_as_set(settings: Settings, days: int, kept: list[int]) -> None:
    settings.AUDIT_RETENTION_DAYS = days
    for age in (1, 29, 31, 1000):
        entry = {"actor": "user:1", "action": "source.update", "object_type": "source", "object_id": age}
        AuditEntry.objects.create(at=NOW - timedelta(days=age), **entry)
    assert maintain(NOW).audit_pruned == 4 - len(kept)
    assert sorted(int(id) for id in AuditEntry.objects.values_list("object_id", flat=True)) == kept
    assert prune_audit(NOW) == 0


def test_a_step_that_fails_does_not_stop_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    push_chunk(make_stream(retention_days=1), [make_event()], now_ms=at(9))
    flush()
    monkeypatch.setattr("ingest.maintenance.make_partitions", Mock(side_effect=OperationalError("lock timeout")))
    assert maintain(NOW).events_expired == 1


def test_deleting_goes_on_until_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DELETE_BATCH == 10_000
    monkeypatch.setattr("ingest.maintenance.DELETE_BATCH", 3)
    push_chunk(make_stream(retention_days=1), [make_event(n) for n in range(10)], now_ms=at(9))
    flush()
    assert expire_events(NOW) == (0, 10)


def test_one_round_does_all_of_it() -> None:
    done = maintain(NOW)
    assert (done.partitions_made, done.partitions_dropped, done.events_expired, done.claims_pruned) == (8, 0, 0, 0)
    assert NOW.date() in partition_days()
