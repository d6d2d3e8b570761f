import logging

import redis
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

from ingest import feed
from ingest.feed import Position
from monitor import broadcast as broadcasting
from monitor import heartbeat, history

logger = logging.getLogger(__name__)


@shared_task(name="monitor.broadcast", ignore_result=True)
def broadcast(epoch: str, seq: int) -> None:
    """Show the announcement that ended at this position. A doorbell: losing one delays what watchers see, no more."""
    broadcasting.broadcast(Position(epoch, seq))


@shared_task(name="monitor.tick", ignore_result=True, soft_time_limit=8)
def tick() -> None:
    """Sent by beat every 10 s: what has to happen whether or not anything arrives."""
    try:
        heartbeat.note()
        history.sample_lag()
        feed.reconcile()
    except (redis.RedisError, SoftTimeLimitExceeded) as error:
        logger.warning("The tick of the monitor was cut short, the next one comes in 10 s: %s", error)
