"""What arrived and how long storing took, over the last minutes.

Keys in REDIS_URL:

    dh:history:lag       list    newest samples, newest first: JSON of at (Unix seconds), p50, p99 (ms)
    dh:history:flush     string  time of the last flush that was sampled
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

import orjson
import redis
from django.db import connection
from django.utils import timezone

from ingest import progress
from ingest.feed import client
from ingest.models import Stream
from ingest.rollups import OTHER_TYPES

logger = logging.getLogger(__name__)

LAG, FLUSH = "dh:history:lag", "dh:history:flush"
MOST_MINUTES = 1440
MOST_TYPES = 8
MOST_SAMPLES = 360

EVENTS = """
WITH counted AS (
    SELECT minute, type, sum(events) AS events FROM rollup_minute
    WHERE stream_id = ANY(%s) AND minute >= %s AND events > 0 GROUP BY minute, type
), listed AS (
    SELECT type FROM counted WHERE type <> %s GROUP BY type ORDER BY sum(events) DESC, type LIMIT %s
)
SELECT minute, CASE WHEN type IN (SELECT type FROM listed) THEN type ELSE %s END AS shown, sum(events)::bigint
FROM counted GROUP BY minute, shown ORDER BY minute, shown
"""


class History(TypedDict):
    """`events`: dicts of minute, type (null: none, "(other)": the rest), events; minutes without events are left out.

    `lag`: dicts of at, p50, p99 (milliseconds).
    """

    minutes: int
    now: str
    events: list[dict[str, Any]]
    lag: list[dict[str, Any]]


def read(minutes: int, streams: frozenset[str] | None, now: datetime | None = None) -> History:
    """The last full minutes and the present one, of these streams or of all.

    `lag` is of all streams together: empty for some. At most MOST_TYPES types are told apart, the most frequent.
    """
    now = now or timezone.now()
    since = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    return {
        "minutes": minutes,
        "now": _iso(now),
        "events": _events(since, streams),
        "lag": _lag(since) if streams is None else [],
    }


def _events(since: datetime, streams: frozenset[str] | None) -> list[dict[str, Any]]:
    asked = Stream.objects.order_by() if streams is None else Stream.objects.filter(name__in=streams).order_by()
    ids = list(asked.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, [ids, since, OTHER_TYPES, MOST_TYPES, OTHER_TYPES])
        return [
            {"minute": _iso(minute), "type": type or None, "events": events}
            for minute, type, events in cursor.fetchall()
        ]


def _lag(since: datetime) -> list[dict[str, Any]]:
    try:
        found: list[bytes] = client().lrange(LAG, 0, -1)  # type: ignore[assignment]
    except redis.RedisError as error:
        logger.warning("The history of the lag cannot be read: %s", error)
        return []
    samples = [orjson.loads(sample) for sample in reversed(found)]
    return [
        {**sample, "at": _iso(datetime.fromtimestamp(sample["at"], UTC))}
        for sample in samples
        if sample["at"] >= since.timestamp()
    ]


def sample_lag(now: float | None = None) -> None:
    """Keep the present lag, unless nothing was stored since the last sample. Raises redis.RedisError."""
    lag = progress.read_lag()
    flushed_at = str(lag.flushed_at)
    if lag.flushed_at is None or client().getset(FLUSH, flushed_at) == flushed_at.encode():
        return
    sample = {"at": time.time() if now is None else now, "p50": lag.p50_ms, "p99": lag.p99_ms}
    with client().pipeline(transaction=True) as pipeline:
        pipeline.lpush(LAG, orjson.dumps(sample))
        pipeline.ltrim(LAG, 0, MOST_SAMPLES - 1)
        pipeline.execute()


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
