"""The feed: every accepted event gets a number, and whoever watches is told.

Keys in REDIS_URL (the braces keep them in one slot of a cluster):

    {dh:feed}:epoch     string  random name of this numbering; a Redis that lost its data starts a new one
    {dh:feed}:seq       string  number of the last event announced
    {dh:feed}:replay    stream  newest batches: id <last number>-0; fields first, shown, counts, events (JSON)
    {dh:feed}:kept      string  events shown in the replay stream
    {dh:feed}:bytes     string  bytes of the replay stream

Numbers have no holes and no repeats, whatever announces at the same time. The feed is for people who watch:
an announcement that is lost on its way costs a sight of events, never the events.
"""

import secrets
from functools import cache
from typing import Any

import orjson
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from monitor import channel
from monitor.batches import Announcement, Batch, Position

GROUP = "feed"
KEYS = [f"{{dh:feed}}:{name}" for name in ("epoch", "seq", "replay", "kept", "bytes")]
MOST_REPLAY_BYTES = 64 << 20

# KEYS epoch, seq, replay, kept, bytes. ARGV name of a new epoch, n, events shown, counts, events, most events and most
# bytes kept.
# The epoch and the last number. Batches leave the replay stream oldest first, the newest never.
NUMBER = """
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch)
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
end
local n = tonumber(ARGV[2])
if n == 0 then return {epoch, tonumber(redis.call('GET', KEYS[2]) or 0)} end
local last = redis.call('INCRBY', KEYS[2], n)
redis.call('XADD', KEYS[3], last .. '-0',
  'first', last - n + 1, 'shown', ARGV[3], 'counts', ARGV[4], 'events', ARGV[5])
local kept = redis.call('INCRBY', KEYS[4], ARGV[3])
local bytes = redis.call('INCRBY', KEYS[5], #ARGV[4] + #ARGV[5])
while (kept > tonumber(ARGV[6]) or bytes > tonumber(ARGV[7])) and redis.call('XLEN', KEYS[3]) > 1 do
  local oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', KEYS[3], oldest[1])
  kept = redis.call('DECRBY', KEYS[4], oldest[2][4])
  bytes = redis.call('DECRBY', KEYS[5], #oldest[2][6] + #oldest[2][8])
end
return {epoch, last}
"""


@cache
def client() -> "redis.Redis":
    """The process's connections. Nothing is tried twice: a repeat would count events twice."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=5,
        socket_connect_timeout=2,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 0),
    )


@cache
def _script() -> Any:
    return client().register_script(NUMBER)


def publish(announcement: Announcement) -> Batch:
    """Number what arrived, keep it for replay, send it to all who watch.

    Raises redis.RedisError, or TimeoutError when the group could not be told in time: watchers find a gap.
    """
    batch = number(announcement)
    channel.send(GROUP, batch.message())
    return batch


def number(announcement: Announcement) -> Batch:
    """The announced events with their numbers, kept in the replay stream."""
    n, counts, events = announcement["n"], announcement["counts"], announcement["events"]
    epoch, last = _call(n, len(events), orjson.dumps(counts), orjson.dumps(events))
    return Batch(epoch, last - n + 1, last, counts, events)


def position() -> Position:
    """The number of the last event announced. Raises redis.RedisError."""
    return Position(*_call(0, 0, b"", b""))


def _call(n: int, shown: int, counts: bytes, events: bytes) -> tuple[str, int]:
    most = (settings.FEED_REPLAY_EVENTS, MOST_REPLAY_BYTES)
    epoch, last = _script()(KEYS, [secrets.token_hex(8), n, shown, counts, events, *most])
    return epoch.decode(), last
