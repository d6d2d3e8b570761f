"""Connections to Redis for synchronous code that decides itself whether to try again."""

from functools import cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_SECONDS = 2.0
HEALTH_CHECK_SECONDS = 30


@cache
def connections(url: str, timeout_seconds: float, repeats: int = 0) -> "redis.Redis":
    """Those of this process to that server. A call ends after `timeout_seconds`, and is made again `repeats` times."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=min(timeout_seconds, CONNECT_SECONDS),
        health_check_interval=HEALTH_CHECK_SECONDS,
        retry=Retry(NoBackoff(), repeats),
    )
