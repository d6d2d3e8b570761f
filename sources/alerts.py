"""Telling people of a source that fails again and again: in the log, and as an event of the stream `alerts`."""

import logging
from typing import Any

import orjson

from ingest import counters
from sources.errors import LoadFailed
from sources.load.announcer import announcer
from sources.load.intake import Intake
from sources.models import Run
from sources.runs import Failures

logger = logging.getLogger(__name__)

STREAM = "alerts"
PATIENCE_SECONDS = 2.0


def note(run: Run, failures: Failures, alert_after: int) -> None:
    """Call after the commit of a run's end and of what it counted.

    Once when so many runs in a row have failed, and once when one goes well again or finds nothing new.
    """
    before, after = failures
    if before < alert_after == after:
        run.refresh_from_db()
        logger.error("Source %s failed %s times in a row: %s", run.source.name, after, run.detail)
        _tell("source.failing", run, after)
    elif after == 0 and before >= alert_after:
        logger.warning("Source %s goes well again after %s failures.", run.source.name, before)
        _tell("source.recovered", run, before)


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
