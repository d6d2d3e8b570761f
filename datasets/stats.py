"""What `/api/stats/` tells of datasets and tasks."""

from datetime import datetime
from typing import Any

from django.db import connection

from access.reach import EVERYWHERE, Reach
from datasets.models import Status

COUNTS = """
SELECT status, count(*) FROM analysis_task GROUP BY status UNION ALL SELECT NULL, count(*) FROM dataset
"""


def counts(reach: Reach, now: datetime) -> dict[str, Any]:
    """`tasks` by status. None to those who may not read everything: whose datasets there are is not theirs to know."""
    if reach != EVERYWHERE:
        return {"total_datasets": None, "tasks": None}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        counted = dict(cursor.fetchall())
    return {"total_datasets": counted.pop(None), "tasks": dict.fromkeys(Status.values, 0) | counted}
