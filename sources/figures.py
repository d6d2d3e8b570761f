"""Figures of sources, records and runs, as the database has them now."""

from typing import Any

import orjson
from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from access.reach import Reach
from sources.models import Record

TOP = 10
RUNS = 1000

TOTALS = """
WITH visible AS (SELECT id, active FROM source WHERE %(names)s::text[] IS NULL OR name = ANY(%(names)s::text[])),
latest AS (
    SELECT ended_at - started_at AS took FROM source_run
    WHERE status = 'success' AND started_at IS NOT NULL AND source_id IN (SELECT id FROM visible)
    ORDER BY created_at DESC LIMIT %(runs)s
)
SELECT (SELECT count(*) FROM visible), (SELECT count(*) FROM visible WHERE active), count(*), max(updated_at),
    (SELECT extract(epoch FROM avg(took))::float8 FROM latest)
FROM record WHERE %(names)s::text[] IS NULL OR source_id IN (SELECT id FROM visible)
"""


def totals(reach: Reach) -> dict[str, Any]:
    """`average_update_time`: seconds that a successful run takes, over the last RUNS. One query."""
    with connection.cursor() as cursor:
        names = None if reach.sources is None else sorted(reach.sources)
        cursor.execute(TOTALS, {"names": names, "runs": RUNS})
        sources, active, records, updated_at, took = cursor.fetchone()
    return {
        "total_sources": sources,
        "active_sources": active,
        "total_records": records,
        "last_update": updated_at,
        "average_update_time": took,
    }


def top_records(reach: Reach) -> list[dict[str, Any]]:
    newest = Record.objects.filter(reach.of_sources("source__name")).order_by("-updated_at", "-pk")[:TOP]
    names = ("id", "source_name", "key", "value", "updated_at")
    fields = ("id", "source__name", "key", Cast("value", TextField()), "updated_at")
    found = [dict(zip(names, line, strict=True)) for line in newest.values_list(*fields)]
    return [{**record, "value": orjson.Fragment(record["value"])} for record in found]
