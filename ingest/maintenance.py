"""What keeps the tables from growing without end: partitions ahead, retention, old claims."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction

from access import audit
from ingest import buffer, chunks
from ingest.models import Stream
from ingest.partitions import drop_partitions, make_partitions

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

DELETE_BATCH = 10_000
ROLLUP_DAYS = 90


@dataclass(frozen=True, slots=True)
class Maintained:
    partitions_made: int
    partitions_dropped: int
    events_expired: int
    claims_pruned: int
    rollups_pruned: int
    audit_pruned: int


def maintain(now: datetime | None = None) -> Maintained:
    """One round. Safe to run at any time and by several workers at once; a step that fails does not stop the next."""
    now = now or datetime.now(UTC)
    made = _attempt(lambda: len(make_partitions(now.date())), 0)
    dropped, expired = _attempt(lambda: expire_events(now), (0, 0))
    claims = _attempt(lambda: prune_claims(now), 0)
    rollups = _attempt(lambda: prune_rollups(now), 0)
    return Maintained(made, dropped, expired, claims, rollups, _attempt(lambda: prune_audit(now), 0))


def _attempt(step: Callable[[], Result], otherwise: Result) -> Result:
    try:
        return step()
    except (DatabaseError, redis.RedisError) as error:
        logger.warning("A step of maintenance failed and is tried again in an hour: %s", str(error).strip())
        return otherwise


def expire_events(now: datetime) -> tuple[int, int]:
    """Remove events past their stream's retention: (partitions dropped, events deleted one by one).

    A partition goes as a whole once no stream may keep anything of that age.
    """
    retention = {
        stream_id: settings.RETENTION_DAYS if days is None else days
        for stream_id, days in Stream.objects.values_list("pk", "retention_days")
    }
    limited = {stream_id: now - timedelta(days=days) for stream_id, days in retention.items() if days}
    dropped = 0
    if limited and len(limited) == len(retention):
        dropped = len(drop_partitions(min(limited.values())))
    return dropped, sum(_delete_events(stream_id, before) for stream_id, before in limited.items())


def _delete_events(stream_id: int, before: datetime) -> int:
    return _delete(
        "DELETE FROM event WHERE (received_at, id) IN (SELECT received_at, id FROM event"
        " WHERE stream_id = %s AND received_at < %s LIMIT %s)",
        [stream_id, before],
    )


def prune_claims(now: datetime) -> int:
    """Forget idempotency keys, duplicates and flushed chunks older than the window; how many.

    A chunk that still lies in the buffer is never forgotten, however old: it would be stored again. Nor is a key that
    an event in the buffer may repeat.
    """
    before = now - timedelta(hours=settings.IDEMPOTENCY_WINDOW_HOURS)
    waiting = buffer.waiting_chunks()
    keys_before = min([before, *(chunks.received_at(id) - (now - before) for id in waiting)])
    return (
        _delete(
            "DELETE FROM event_key WHERE (stream_id, key) IN"
            " (SELECT stream_id, key FROM event_key WHERE received_at < %s LIMIT %s)",
            [keys_before],
        )
        + _delete(
            "DELETE FROM duplicate WHERE id IN (SELECT id FROM duplicate WHERE id < %s LIMIT %s)",
            [chunks.first_id_at(before)],
        )
        + _delete(
            "DELETE FROM flushed_chunk WHERE id IN"
            " (SELECT id FROM flushed_chunk WHERE flushed_at < %s AND id <> ALL(%s::uuid[]) LIMIT %s)",
            [before, waiting],
        )
    )


def prune_rollups(now: datetime) -> int:
    """Forget counts by minute older than ROLLUP_DAYS; how many. The totals stay."""
    # All streams are named so that the primary key finds the rows: an index by minute would cost each flush.
    streams = list(Stream.objects.values_list("pk", flat=True))
    return _delete(
        "DELETE FROM rollup_minute WHERE (stream_id, minute, type) IN (SELECT stream_id, minute, type"
        " FROM rollup_minute WHERE stream_id = ANY(%s) AND minute < %s LIMIT %s)",
        [streams, now - timedelta(days=ROLLUP_DAYS)],
    )


def prune_audit(now: datetime) -> int:
    """Forget entries of the audit log older than AUDIT_RETENTION_DAYS; how many."""
    before = audit.expired_before(now)
    if before is None:
        return 0
    return _delete("DELETE FROM audit_entry WHERE id IN (SELECT id FROM audit_entry WHERE at < %s LIMIT %s)", [before])


def _delete(statement: str, parameters: list[Any]) -> int:
    """Run a DELETE that takes a limit as its last parameter until it finds nothing more, a short transaction each."""
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, DELETE_BATCH])
            deleted = int(cursor.rowcount)
        total += deleted
        if deleted < DELETE_BATCH:
            return total
