"""What has been seen before: chunks by id, events by idempotency key.

Both are claims made inside the transaction that stores the events, so a claim and its effect stand or fall together.
That is what turns the buffer's at-least-once into exactly once.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from ingest.rows import Row

ADVISORY_LOCK_CLASS = 0x64686275  # "dhbu": any number, so long as it is ours


def lock_shard(shard: int) -> bool:
    """Take the shard for this transaction; False when another worker has it. Saves double work, protects nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [ADVISORY_LOCK_CLASS, shard])
        return bool(cursor.fetchone()[0])


def claim_chunks(chunks: dict[UUID, int]) -> set[UUID]:
    """Enter chunks (id → number of events) as flushed; those that were not entered before.

    Waits for a transaction that is just claiming one of them, and then finds it taken.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO flushed_chunk (id, events, flushed_at)"
            " SELECT id, events, clock_timestamp() FROM unnest(%s::uuid[], %s::int[]) AS new (id, events) ORDER BY id"
            " ON CONFLICT DO NOTHING RETURNING id",
            [list(chunks), list(chunks.values())],
        )
        return {id for (id,) in cursor.fetchall()}


def claim_keys(rows: Sequence[Row]) -> dict[str, str]:
    """Enter the idempotency keys of rows; the duplicates among these, each with the id of its original.

    The first of a key counts. Two events whose times of receipt lie further apart than the window are no duplicates,
    whichever of them is stored first; the key then belongs to the newer.
    """
    keyed = [row for row in rows if row.key is not None]
    if not keyed:
        return {}
    first = {(row.stream_id, row.key): row for row in reversed(keyed)}
    return {} if _claim(list(first.values())) == len(keyed) else _duplicates(keyed)


def _claim(rows: Sequence[Row]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO event_key (stream_id, key, event_id, received_at)"
            " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::uuid[], %s::timestamptz[]) ORDER BY 1, 2"
            " ON CONFLICT (stream_id, key) DO UPDATE"
            " SET event_id = excluded.event_id, received_at = excluded.received_at"
            " WHERE event_key.received_at < excluded.received_at - %s",
            [*_columns(rows), _window()],  # type: ignore[list-item]  # an interval,
        )
        return int(cursor.rowcount)


def _duplicates(rows: Sequence[Row]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT replace(new.id::text, '-', ''), event_id::text FROM event_key"
            " JOIN unnest(%s::bigint[], %s::text[], %s::uuid[], %s::timestamptz[])"
            " AS new (stream_id, key, id, received_at) USING (stream_id, key)"
            " WHERE event_id <> new.id AND new.received_at - event_key.received_at BETWEEN -%s AND %s",
            [*_columns(rows), _window(), _window()],  # type: ignore[list-item]  # an interval
        )
        return dict(cursor.fetchall())


def _columns(rows: Sequence[Row]) -> list[str]:
    return [
        array(str(row.stream_id) for row in rows),
        array(str(row.key) for row in rows),
        array(row.id for row in rows),
        array(row.received_at for row in rows),
    ]


def _window() -> timedelta:
    return timedelta(hours=settings.IDEMPOTENCY_WINDOW_HOURS)


def array(values: Iterable[str]) -> str:
    """A PostgreSQL array of texts as a literal: psycopg's own way costs several microseconds a value."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return '{"' + '","'.join(quoted) + '"}'


def record_duplicates(duplicates: dict[str, str]) -> None:
    """Keep which event an accepted duplicate stands for, so that its receipt can say so."""
    if not duplicates:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO duplicate (id, original) SELECT * FROM unnest(%s::uuid[], %s::uuid[])",
            [array(duplicates), array(duplicates.values())],
        )
