"""Daily partitions of `event`: made ahead, dropped when all in them has outlived its retention.

Rows of a day without a partition land in `event_default`, a net that keeps storing from ever failing for want of one.
"""

import re
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

DAYS_AHEAD = 7
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"  # a backup may hold the tables for hours: nobody queues behind us
PARTITION = re.compile(r"event_(\d{4})(\d{2})(\d{2})")
DEFAULT_PARTITION = "event_default"


def make_partitions(today: date | None = None) -> list[date]:
    """Make the partitions of today and the next DAYS_AHEAD days that are missing; the days made."""
    today = today or datetime.now(UTC).date()
    existing = set(partition_days())
    missing = [day for n in range(DAYS_AHEAD + 1) if (day := today + timedelta(days=n)) not in existing]
    for day in missing:
        make_partition(day)
    return missing


def make_partition(day: date) -> None:
    """Make one, taking over the rows of that day that already lie in the default partition."""
    name, bounds = f"event_{day:%Y%m%d}", [day_start(day), day_start(day + timedelta(days=1))]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_TIMEOUT)
        # The parent too: who is just storing must look again where the day's rows belong.
        cursor.execute("LOCK TABLE ONLY event, event_default IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone() != (None,):
            return  # somebody else made it while we waited for the lock
        cursor.execute(f"CREATE TABLE {name} (LIKE event INCLUDING ALL)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM event_default WHERE received_at >= %s AND received_at < %s RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved",
            bounds,
        )
        cursor.execute(f"ALTER TABLE event ATTACH PARTITION {name} FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')")


def drop_partitions(before: datetime) -> list[date]:
    """Drop the partitions of days that ended by then; the days dropped."""
    ended = [day for day in partition_days() if day_start(day + timedelta(days=1)) <= before]
    for day in ended:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK_TIMEOUT)
            cursor.execute(f"DROP TABLE IF EXISTS event_{day:%Y%m%d}")
    return ended


def partition_days() -> list[date]:
    """The days that have a partition, oldest first."""
    matches = (PARTITION.fullmatch(name) for name in partition_names())
    return sorted(date(int(m[1]), int(m[2]), int(m[3])) for m in matches if m)


def partition_names() -> list[str]:
    """Of all, the default partition included, in no order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event'::regclass")
        return [name for (name,) in cursor.fetchall()]


def day_start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
