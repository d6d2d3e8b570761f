"""Telling the live feed how analyses go.

Each change of a task's status, and its progress at most once a second, is an event of the stream `analyses`, with the
status for a type and the payload {"task", "dataset", "kind", "status", "progress"}: nothing that names data, since who
reads this stream need not see the dataset. They are events like any other, told after the commit, and not told again
when the buffer is away: they are for those who watch, the task is what counts.
"""

import logging

import orjson
from django.db import transaction

from datasets.models import AnalysisTask
from ingest import counters
from sources.errors import LoadFailed
from sources.load.announcer import announcer
from sources.load.intake import Intake

logger = logging.getLogger(__name__)

STREAM = "analyses"
PATIENCE_SECONDS = 1.0


def announce(task: AnalysisTask) -> None:
    """As it is now; with the commit of the transaction that is under way."""
    status = str(task.status)
    payload = orjson.dumps(
        {
            "task": str(task.pk),
            "dataset": task.dataset_id,
            "kind": task.kind,
            "status": status,
            "progress": round(task.progress, 3),
        }
    )
    transaction.on_commit(lambda: _tell(status, payload), robust=True)


def _tell(status: str, payload: bytes) -> None:
    try:
        intake = Intake(STREAM, PATIENCE_SECONDS)
        intake.push(intake.stream(), [(None, status, None, payload)], len(payload))
    except LoadFailed as error:
        logger.warning("An analysis cannot be shown live: %s", error)
        return
    counters.count("accepted_events")
    announcer().flush()
