"""What was stored, altogether and lately, from the counts that are kept with the events."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

RATES = {"last_minute": 60, "last_hour": 3600}

TOTALS = """
WITH visible AS (SELECT id FROM stream WHERE %(names)s::text[] IS NULL OR name = ANY(%(names)s::text[])),
lately AS (
    SELECT minute, events FROM rollup_minute
    WHERE stream_id = ANY(ARRAY(SELECT id FROM visible)) AND minute >= %(hour)s AND minute < %(until)s
)
SELECT (SELECT count(*) FROM visible), coalesce(sum(events), 0)::bigint, coalesce(sum(bytes), 0)::bigint,
    coalesce(sum(duplicates), 0)::bigint, coalesce(sum(dead), 0)::bigint, max(last_minute),
    (SELECT coalesce(sum(events) FILTER (WHERE minute >= %(minute)s), 0)::bigint FROM lately),
    (SELECT coalesce(sum(events), 0)::bigint FROM lately)
FROM rollup_total WHERE stream_id IN (SELECT id FROM visible)
"""


def read(streams: frozenset[str] | None, now: datetime) -> dict[str, Any]:
    """Of these streams or of all. `rates`: events a second, in the last full minute and the last sixty."""
    until = now.replace(second=0, microsecond=0)
    begins = {"minute": until - timedelta(minutes=1), "hour": until - timedelta(hours=1)}
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, {"names": None if streams is None else sorted(streams), "until": until, **begins})
        count, events, size, duplicates, dead, last_minute, minute, hour = cursor.fetchone()
    stored = {"total": events, "bytes": size, "duplicates": duplicates, "dead": dead, "last_minute": last_minute}
    rates = {"last_minute": minute / RATES["last_minute"], "last_hour": hour / RATES["last_hour"]}
    return {"total_streams": count, "events": stored, "rates": rates}
