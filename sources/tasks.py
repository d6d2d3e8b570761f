"""Celery's doors to the work. No task carries data: what is to be done stands in the database."""

import logging

from celery import shared_task
from django.db import Error as DatabaseError
from django.utils import timezone

from sources import backfills, execution, retention, runs, scheduling
from sources.doorbell import ring

logger = logging.getLogger(__name__)

WORK_SECONDS = 60.0
DAY_SECONDS = 86_400
MOST_RINGS = 8


@shared_task(name="sources.tick", ignore_result=True)
def tick() -> None:
    """Sent by beat every second: starts what is due, begins again what was lost, and calls for workers."""
    try:
        runs.reap(on_failed=execution.tell_of_lost)
        backfills.settle()
        scheduling.tick()
        for _ in runs.startable(timezone.now())[:MOST_RINGS]:
            ring()
    except DatabaseError as error:
        logger.warning("Sources cannot be started now: %s", str(error).strip())


@shared_task(name="sources.work", ignore_result=True, soft_time_limit=DAY_SECONDS, time_limit=DAY_SECONDS)
def work() -> None:
    """Carry out pending runs. A run keeps to its own limits."""
    try:
        execution.work(WORK_SECONDS)
    except DatabaseError as error:
        logger.warning("A run cannot be carried out now; it is begun again later: %s", str(error).strip())


@shared_task(name="sources.maintain", ignore_result=True)
def maintain() -> None:
    """Sent by beat every hour."""
    retention.prune()
