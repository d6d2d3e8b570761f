"""Celery's doors to the work. No task carries data: losing one, or running one twice, changes nothing but the time."""

import logging
from contextlib import suppress
from typing import Any

import redis
from celery import shared_task
from celery.signals import task_postrun
from django.db import Error as DatabaseError
from django.utils import timezone

from ingest import counters, index_building, maintenance
from ingest.flush import flush as empty_buffer

logger = logging.getLogger(__name__)

DAY_SECONDS = 86_400


@task_postrun.connect
def hand_in_counts(**kwargs: Any) -> None:
    """A worker process may be ended after any task, without a chance to do anything more."""
    with suppress(redis.RedisError):
        counters.flush()


@shared_task(name="ingest.flush")
def flush() -> None:
    """Sent by beat every FLUSH_INTERVAL_SECONDS, and by a web process when much has gathered or somebody waits."""
    try:
        empty_buffer()
    except (DatabaseError, redis.RedisError) as error:
        part = "the database (DATABASE_URL)" if isinstance(error, DatabaseError) else "the buffer (BUFFER_REDIS_URL)"
        logger.warning(
            "Nothing can be stored now; accepted events stay in the buffer: %s: %s", part, str(error).strip()
        )


@shared_task(name="ingest.maintain")
def maintain(**kwargs: Any) -> None:
    """Sent by beat every hour."""
    maintenance.maintain()


@shared_task(name="ingest.index", soft_time_limit=DAY_SECONDS, time_limit=DAY_SECONDS)
def index() -> None:
    """Sent by beat every minute, and when an index is wished for or no longer."""
    try:
        index_building.build(timezone.now())
    except DatabaseError as error:
        logger.warning("Indexes cannot be made or dropped now; it is tried again: %s", str(error).strip())
