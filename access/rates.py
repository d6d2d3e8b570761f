"""How often something happened in the last minute, counted in Redis for all web processes together.

A sliding window counter (`limits`). While Redis is away nothing is counted and nobody is limited; after a call that
failed it is left alone for PAUSE_SECONDS, so that a Redis that hangs costs one request CALL_SECONDS, not each.
"""

import logging
import math
import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeVar

import redis
from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from access.connections import connections
from access.errors import QuotaExceeded

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

CALL_SECONDS = 0.25
PAUSE_SECONDS = 5.0


class Spent(NamedTuple):
    """An exhausted limit: what is left of it, and in how many seconds there will be more."""

    remaining: int
    wait_seconds: int


class Rates:
    """Limits a minute. `names` say whose and of what; a limit of 0 is none."""

    def __init__(self, client: redis.Redis) -> None:
        storage = RedisStorage("redis://", connection_pool=client.connection_pool)
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._away = False
        self._asked_again_at = 0.0

    def hit(self, limit: int, *names: str) -> Spent | None:
        """Count one; when the limit is exhausted count nothing, and say so."""
        if limit == 0:
            return None
        item = RateLimitItemPerMinute(limit)
        return self._ask(lambda: None if self._limiter.hit(item, *names) else self._spent(item, names))

    def look(self, limit: int, *names: str) -> Spent | None:
        """As `hit`, and count nothing."""
        if limit == 0:
            return None
        item = RateLimitItemPerMinute(limit)
        return self._ask(lambda: None if self._limiter.test(item, *names) else self._spent(item, names))

    def _spent(self, item: RateLimitItem, names: tuple[str, ...]) -> Spent:
        return spent(self._limiter.get_window_stats(item, *names))

    def _ask(self, question: Callable[[], Answer | None]) -> Answer | None:
        if time.monotonic() < self._asked_again_at:
            return None
        try:
            answer = question()
        except (redis.RedisError, OSError) as error:
            if not self._away:
                logger.warning("Requests cannot be counted, so nobody is limited: REDIS_URL: %s", error)
            self._away, self._asked_again_at = True, time.monotonic() + PAUSE_SECONDS
            return None
        if self._away:
            logger.warning("Requests are counted and limited again.")
            self._away = False
        return answer


def spent(window: WindowStats) -> Spent:
    return Spent(max(0, window.remaining), max(1, math.ceil(window.reset_time - time.time())))


def exceeded(detail: str, what: str, limit: int, window_seconds: int, spent: Spent) -> QuotaExceeded:
    """The error, with the `RateLimit` fields of the IETF draft draft-ietf-httpapi-ratelimit-headers."""
    return QuotaExceeded(
        detail,
        policy=f'"{what}";q={limit};w={window_seconds}',
        limit=f'"{what}";r={spent.remaining};t={spent.wait_seconds}',
        retry_after_seconds=spent.wait_seconds,
    )


@cache
def rates() -> Rates:
    """Those of this process."""
    return Rates(connections(settings.REDIS_URL, CALL_SECONDS))
