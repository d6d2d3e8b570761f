"""Celery's doors to the work. No task carries data: what is to be done stands in the database."""

import logging

from celery import shared_task
from django.db import Error as DatabaseError

from datasets import analyses, execution, retention
from datasets.doorbell import ring

logger = logging.getLogger(__name__)

WORK_SECONDS = 60.0
DAY_SECONDS = 86_400
MOST_RINGS = 8


@shared_task(name="datasets.tick", ignore_result=True)
def tick() -> None:
    """Sent by beat every two seconds: begins again what was lost, and calls for workers."""
    try:
        analyses.reap()
        for _ in analyses.pending()[:MOST_RINGS]:
            ring()
    except DatabaseError as error:
        logger.warning("Analyses cannot be started now: %s", str(error).strip())


@shared_task(name="datasets.work", ignore_result=True, soft_time_limit=DAY_SECONDS, time_limit=DAY_SECONDS)
def work() -> None:
    """Carry out pending analyses. Each keeps to its own limits."""
    try:
        execution.work(WORK_SECONDS)
    except DatabaseError as error:
        logger.warning("An analysis cannot be carried out now; it is begun again later: %s", str(error).strip())


@shared_task(name="datasets.maintain", ignore_result=True)
def maintain() -> None:
    """Sent by beat every hour, to a worker that has the snapshots."""
    retention.prune()
