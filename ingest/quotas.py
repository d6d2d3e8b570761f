"""Quotas of keys: events a second, counted in Redis for all web processes together.

A sliding window counter (`limits`) of ten seconds, so that a batch may be larger than the rate of one second. Answers
carry the `RateLimit` fields of the IETF draft draft-ietf-httpapi-ratelimit-headers. While Redis is away nobody is
limited.
"""

import logging

import redis.asyncio
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from access.principals import Principal
from access.rates import exceeded, spent
from ingest.errors import TooManyEvents

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 10


class Quotas:
    """One for each event loop."""

    def __init__(self) -> None:
        self._pool = redis.asyncio.ConnectionPool.from_url(settings.REDIS_URL, socket_timeout=0.5)
        storage = RedisStorage("async+redis://", implementation="redispy", connection_pool=self._pool)  # type: ignore[arg-type]
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def spend(self, principal: Principal, events: int) -> None:
        """Count events against the key's quota. Raises QuotaExceeded or TooManyEvents, and then counts nothing."""
        if principal.events_per_second is None:
            return
        quota = principal.events_per_second * WINDOW_SECONDS
        if events > quota:
            raise TooManyEvents(f"This key may send {quota} events in {WINDOW_SECONDS} s, so no more in one request.")
        item = RateLimitItemPerSecond(quota, WINDOW_SECONDS)
        try:
            if await self._limiter.hit(item, principal.name, cost=events):
                return
            window = await self._limiter.get_window_stats(item, principal.name)
        except Exception as error:  # a quota that cannot be counted must not cost events
            logger.warning("The quota of %s cannot be counted: %s", principal.name, error)
            return
        raise exceeded(
            f"This key may send {principal.events_per_second} events a second on average over {WINDOW_SECONDS} s.",
            *("events", quota, WINDOW_SECONDS, spent(window)),
        )

    async def close(self) -> None:
        await self._pool.aclose()
