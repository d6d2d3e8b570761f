"""Many events in the tables, as the service would have stored them, made by PostgreSQL alone."""

from datetime import UTC, datetime, timedelta

from bench.stack import Stack

STREAM = "bench.stored"
BLOCK = 500_000
A_SECOND = 1000
EVENT = """
INSERT INTO event (id, received_at, time, stream_id, key, type, payload)
SELECT id, uuid_extract_timestamp(id), uuid_extract_timestamp(id), %(stream)s, NULL,
  (ARRAY['reading', 'alarm', 'status'])[1 + n %% 3],
  jsonb_build_object('site', (ARRAY['north', 'south', 'east', 'west'])[1 + n %% 4], 'sensor', 'greenhouse-' || n %% 24,
    'reading', n, 'celsius', round(random_normal(21.5, 2.0)::numeric, 2),
    'humidity', round((35 + 45 * random())::numeric, 1))
FROM (SELECT n, uuidv7(%(start)s::timestamptz + n * interval '1 second' / %(a_second)s - clock_timestamp()) AS id
  FROM generate_series(%(first)s::bigint, %(last)s) AS n) AS made
"""
COUNTS = """
INSERT INTO {table} (stream_id, {columns} events, bytes, duplicates, dead)
SELECT stream_id, {values} count(*), sum(length(payload::text)), 0, 0 FROM event GROUP BY stream_id {group}
"""
MINUTES = COUNTS.format(
    table="rollup_minute",
    columns="minute, type,",
    values="date_trunc('minute', received_at), type,",
    group=", date_trunc('minute', received_at), type",
)
TOTALS = COUNTS.format(table="rollup_total", columns="", values="", group="")


def fill(stack: Stack, events: int) -> None:
    """So many of STREAM and no others, A_SECOND up to now, each of 5 members, with their counts."""
    stack.clear()
    stream = _stream(stack)
    start = datetime.now(UTC) - timedelta(seconds=events / A_SECOND)
    for first in range(0, events, BLOCK):
        last = min(first + BLOCK, events) - 1
        stack.database.execute(
            EVENT, {"stream": stream, "start": start, "a_second": A_SECOND, "first": first, "last": last}
        )
    for counts in ("DELETE FROM rollup_total", MINUTES, TOTALS, "VACUUM ANALYZE event", "CHECKPOINT"):
        stack.database.execute(counts)


def _stream(stack: Stack) -> int:
    row = stack.database.execute(
        "INSERT INTO stream (name, key_path, time_path, type_path, schema_mode, created_at)"
        " VALUES (%s, '', '', '', 'off', now()) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
        [STREAM],
    ).fetchone()
    assert row is not None
    return int(row[0])
