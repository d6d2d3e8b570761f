"""What can be shown of each record."""

from ingest import columns
from ingest.columns import Table

SOURCE_NAME = '(SELECT "name" FROM "source" WHERE "source"."id" = "record"."source_id")'

RECORDS = Table(
    "record",
    "value",
    {
        "id": lambda: columns.integer('"record"."id"'),
        "source": lambda: columns.integer('"record"."source_id"'),
        "source_name": lambda: columns.text(SOURCE_NAME),
        "key": lambda: columns.text('"record"."key"'),
        "value": lambda: columns.document('"record"."value"'),
        "starts_at": lambda: columns.time('"record"."starts_at"'),
        "ends_at": lambda: columns.time('"record"."ends_at"'),
        "created_at": lambda: columns.moment('"record"."created_at"'),
        "updated_at": lambda: columns.moment('"record"."updated_at"'),
    },
)
