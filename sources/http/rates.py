"""How often sources ask, counted in Redis for all workers together.

    {dh:rate}:source:ID     list    when the latest requests of a source counted as started, newest first
    {dh:rate}:host:NAME     list    the same of a host, whatever source asks

Limits are "so many requests in so many seconds", kept by as many slots: a slot is free again `seconds` after it was
taken. Who comes a little early (a tenth of the span, at most 10 s) is let through, but the slot counts as taken when it
would have been free: a schedule that jitters keeps every turn, and the mean rate stays. With one slot this is the
generic cell rate algorithm (ITU-T I.371).

While Redis is away nobody is limited.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import redis
from django.conf import settings

from access.connections import connections
from sources.definition import RateLimit
from sources.errors import TryLater

logger = logging.getLogger(__name__)

MOST_SLOTS = 1000
TOLERANCE = 0.1
MOST_TOLERANCE_SECONDS = 10.0
TIMEOUT_SECONDS = 0.5

# KEYS lists. ARGV now (0: the server's), most seconds to wait, then for each key: slots, seconds, tolerance. Whether
# the turn is taken, and the seconds until it (or until one could be had).
TAKE = """
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
local start, free = now, {}
for i, key in ipairs(KEYS) do
  local slots, seconds, tolerance = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local oldest = redis.call('LINDEX', key, slots - 1)
  free[i] = oldest and tonumber(oldest) + seconds or 0
  start = math.max(start, free[i] - tolerance)
end
local wait = start - now
if wait > tonumber(ARGV[2]) then return {0, string.format('%.6f', wait)} end
for i, key in ipairs(KEYS) do
  local slots, seconds = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local taken = math.max(start, free[i])
  redis.call('LPUSH', key, string.format('%.6f', taken))
  redis.call('LTRIM', key, 0, slots - 1)
  redis.call('PEXPIRE', key, math.ceil((taken - now + seconds) * 1000))
end
return {1, string.format('%.6f', wait)}
"""


class Limit(NamedTuple):
    key: str
    slots: int
    seconds: float

    @property
    def tolerance_seconds(self) -> float:
        return min(MOST_TOLERANCE_SECONDS, TOLERANCE * self.seconds)


def source_limit(source: str, rate: RateLimit) -> Limit:
    return _limit(f"source:{source}", rate.requests, rate.seconds)


def host_limit(host: str) -> Limit | None:
    """SOURCES_HOST_REQUESTS_PER_SECOND; 0: none."""
    rate: float = settings.SOURCES_HOST_REQUESTS_PER_SECOND
    return _limit(f"host:{host}", max(1, round(rate)), max(1, round(rate)) / rate) if rate > 0 else None


def _limit(name: str, requests: int, seconds: float) -> Limit:
    parts = math.ceil(requests / MOST_SLOTS)
    slots = max(1, requests // parts)
    return Limit(f"{{dh:rate}}:{name}", slots, seconds * slots / requests)


def take(limits: Sequence[Limit], most_seconds: float, now: float = 0) -> float:
    """The seconds to wait until the turn that this takes; `now` in Unix seconds, or the server's.

    Raises TryLater, and then takes none, when it would be more than `most_seconds`.
    """
    arguments: list[float] = [now, most_seconds]
    for limit in limits:
        arguments += [limit.slots, limit.seconds, limit.tolerance_seconds]
    try:
        taken, wait = _script()([limit.key for limit in limits], arguments)
    except redis.RedisError as error:
        logger.warning("Requests of sources are not limited while Redis is away: %s", error)
        return 0.0
    if not taken:
        raise TryLater((now or time.time()) + float(wait), "A rate limit of the source or its host is used up.")
    return float(wait)


@cache
def _script() -> Any:
    return connections(settings.REDIS_URL, TIMEOUT_SECONDS, repeats=1).register_script(TAKE)


Take = Callable[[Sequence[Limit], float], float]
"""`take`, or what stands for it."""
