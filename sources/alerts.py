"""Telling people of a source that fails again and again: in the log, and as an event of the stream `alerts`."""

import logging
from typing import Any

import orjson

from ingest import counters
from sources.errors import LoadFailed
from sources.load.announcer import announcer
from sources.load.intake import Intake
from sources.models import Run, Source, Status

logger = logging.getLogger(__name__)

STREAM = "alerts"
PATIENCE_SECONDS = 2.0


def note(run: Run, failures_before: int, alert_after: int) -> None:
    """Call after a run has ended and its failure or success is counted.

    Once when so many runs in a row have failed, and once when one goes well again.
    """
    run.refresh_from_db()
    failures = Source.objects.values_list("failures", flat=True).get(pk=run.source_id)
    if run.status == Status.FAILED and failures == alert_after:
        logger.error("Source %s failed %s times in a row: %s", run.source.name, failures, run.detail)
        _tell("source.failing", run, failures)
    elif run.status == Status.SUCCESS and failures_before >= alert_after:
        logger.warning("Source %s goes well again after %s failures.", run.source.name, failures_before)
        _tell("source.recovered", run, failures_before)


def _tell(type_: str, run: Run, failures: int) -> None:
    facts: dict[str, Any] = {"source": run.source.name, "failures": failures, "run": str(run.pk)}
    payload = orjson.dumps({**facts, "error": run.error, "detail": run.detail})
    try:
        intake = Intake(STREAM, PATIENCE_SECONDS)
        intake.push(intake.stream(), [(None, type_, None, payload)], len(payload))
    except LoadFailed as error:
        logger.warning("An alert of %s cannot be shown live: %s", run.source.name, error)
        return
    counters.count("accepted_events")
    announcer().flush()
