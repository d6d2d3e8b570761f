"""Tables filled by PostgreSQL itself, in a process with the settings of the service: `main` does one and prints JSON.

The events are those of bench.events, in their way: a day of them, the same number in each minute.
"""

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
from django.db import connection

from bench.events import STREAM
from ingest.models import Stream
from ingest.partitions import make_partition
from sources.models import Record, Source

PARTS = 2
DAY = timedelta(days=1)

EVENTS = """
INSERT INTO event (id, received_at, time, stream_id, type, payload)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
    at, at, %(stream)s, type, jsonb_build_object(
        'type', type, 'time', at, 'site', 'north', 'sensor', 'greenhouse-' || lpad((n %% 24)::text, 2, '0'),
        'reading', n, 'celsius', round((15.5 + 4 * (random() + random() + random()))::numeric, 2),
        'humidity', round((35 + 45 * random())::numeric, 1))
FROM (
    SELECT n, (ARRAY['reading', 'alarm', 'status'])[n %% 3 + 1] AS type,
        date_trunc('milliseconds', %(begin)s::timestamptz + n * (interval '1 day' / %(events)s)) AS at
    FROM generate_series(%(first)s, %(last)s) AS n
) AS made
"""
COUNTS = """
INSERT INTO rollup_minute (stream_id, minute, type, events, bytes, duplicates, dead)
SELECT stream_id, date_bin('1 minute', received_at, '2000-01-01'), type, count(*), 130 * count(*), 0, 0
FROM event GROUP BY 1, 2, 3
"""
RECORDS = """
INSERT INTO record (source_id, key, value, hash, created_at, updated_at)
SELECT %s, n::text, jsonb_build_object('id', n, 'price', n %% 1000), ''::bytea, now(), now()
FROM generate_series(1, %s) AS n
"""


def main() -> None:
    steps: dict[str, Callable[..., Any]] = {"events": events, "records": records}
    step, number = sys.argv[1:]
    print(orjson.dumps(steps[step](int(number))).decode())


def events(number: int) -> dict[str, str]:
    """Of the day until this minute; the tables are empty before. When it began and ended."""
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    begin = until - DAY
    for day in (begin.date(), until.date()):
        make_partition(day)
    stream, _ = Stream.objects.get_or_create(name=STREAM)
    shared = {"stream": stream.pk, "begin": begin, "events": number}
    ends = [number * part // PARTS for part in range(PARTS + 1)]
    threads = [
        threading.Thread(target=_insert, args=({**shared, "first": first, "last": last - 1},))
        for first, last in pairwise(ends)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) event")
        cursor.execute(COUNTS)
        cursor.execute("ANALYZE rollup_minute")
        cursor.execute("CHECKPOINT")
    return {"starts_at": begin.isoformat(), "ends_at": until.isoformat()}


def _insert(parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, parameters)
    connection.close()


def records(number: int) -> int:
    source = Source.objects.create(name="bench", definition={})
    with connection.cursor() as cursor:
        cursor.execute(RECORDS, [source.pk, number])
        cursor.execute("VACUUM (ANALYZE) record")
    return Record.objects.count()
