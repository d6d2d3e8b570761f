"""The tables that Django cannot describe: `event`, partitioned by day, and `event_key`, partitioned by hash."""

from django.db import migrations

KEY_PARTITIONS = 8

EVENT = """
CREATE TABLE event (
    id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    time timestamptz,
    stream_id bigint NOT NULL,
    key text,
    type text,
    payload jsonb NOT NULL,
    PRIMARY KEY (received_at, id)
) PARTITION BY RANGE (received_at);
CREATE INDEX event_stream_id_received_at ON event (stream_id, received_at, id);
CREATE TABLE event_default PARTITION OF event DEFAULT;
"""

EVENT_KEY = """
CREATE TABLE event_key (
    stream_id bigint NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (stream_id, key)
) PARTITION BY HASH (stream_id, key);
CREATE INDEX event_key_received_at ON event_key USING brin (received_at);
""" + "".join(
    f"CREATE TABLE event_key_{n} PARTITION OF event_key FOR VALUES WITH (MODULUS {KEY_PARTITIONS}, REMAINDER {n});\n"
    for n in range(KEY_PARTITIONS)
)


class Migration(migrations.Migration):
    dependencies = [("ingest", "0001_initial")]
    operations = [
        migrations.RunSQL(EVENT, "DROP TABLE event"),
        migrations.RunSQL(EVENT_KEY, "DROP TABLE event_key"),
    ]
