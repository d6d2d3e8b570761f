"""Totals of each stream, begun with the sums of what was counted by minute until now."""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
INSERT INTO rollup_total (stream_id, events, bytes, duplicates, dead, last_minute)
SELECT stream_id, sum(events), sum(bytes), sum(duplicates), sum(dead), max(minute) FILTER (WHERE events > 0)
FROM rollup_minute GROUP BY stream_id
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0002_event_tables")]
    operations = [
        migrations.CreateModel(
            name="RollupTotal",
            fields=[
                (
                    "stream",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="total",
                        serialize=False,
                        to="ingest.stream",
                    ),
                ),
                ("events", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("duplicates", models.BigIntegerField()),
                ("dead", models.BigIntegerField()),
                ("last_minute", models.DateTimeField(null=True)),
            ],
            options={"db_table": "rollup_total", "default_permissions": ()},
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
