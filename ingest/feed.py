"""The feed: a numbered log of what was accepted, for people who watch.

Keys in REDIS_URL (the braces keep them in one slot of a cluster):

    {dh:feed}:epoch      string  random name of this numbering; a Redis that lost its data starts a new one
    {dh:feed}:seq        string  number of the last event announced
    {dh:feed}:replay     stream  newest announcements: id <last number>-0; fields first, shown, counts, events (JSON)
    {dh:feed}:kept       string  events shown in the replay stream
    {dh:feed}:bytes      string  bytes of the replay stream
    {dh:feed}:trimmed    string  last number of what has left the replay stream
    {dh:feed}:producers  hash    <producer>: events it announced; <producer>:lost: those given up, at :lost_at

A producer is a process that accepts events. The buffer counts what each one pushed, in the script that pushes; the
feed counts what each one announced, in the script that numbers. So an announcement may be tried again without being
counted twice, and how many events a process had pushed and not announced when it died is known exactly: `reconcile`
gives those numbers too, with nothing behind them, and whoever watches sees how many are missing. The events themselves
are stored in any case.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypedDict

import orjson
import redis
from django.conf import settings

from access.connections import connections
from ingest import buffer

KEYS = [f"{{dh:feed}}:{name}" for name in ("epoch", "seq", "replay", "kept", "bytes", "producers", "trimmed")]
EPOCH, SEQ, REPLAY, KEPT, BYTES, PRODUCERS, TRIMMED = KEYS
MOST_REPLAY_BYTES = 64 << 20
TIMEOUT_SECONDS = 5.0
SETTLE_SECONDS = 5.0
FORGET_SECONDS = 30 * 86_400.0

_START = """
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[1]
  redis.call('DEL', unpack(KEYS))
  redis.call('SET', KEYS[1], epoch)
end
"""

# KEYS all. ARGV name of a new epoch. The epoch and the last number.
POSITION = f"""
{_START}
return {{epoch, tonumber(redis.call('GET', KEYS[2]) or 0)}}
"""

# KEYS all. ARGV name of a new epoch, producer.
REGISTER = f"""
{_START}
redis.call('HSETNX', KEYS[6], ARGV[2], 0)
"""

# KEYS all. ARGV name of a new epoch, producer, events it announced before, n, accepted at, most events and most bytes
# kept, events shown, counts, events. The epoch and the last number; 0 for what has its numbers already.
# Announcements leave the replay stream oldest first, the newest never.
APPEND = f"""
{_START}
local before, n = tonumber(ARGV[3]), tonumber(ARGV[4])
local announced = tonumber(redis.call('HGET', KEYS[6], ARGV[2]) or 0)
if announced >= before + n then return {{epoch, 0}} end
redis.call('HSET', KEYS[6], ARGV[2], before + n)
local lost_at = redis.call('HGET', KEYS[6], ARGV[2] .. ':lost_at')
if lost_at and tonumber(ARGV[5]) < tonumber(lost_at) then
  redis.call('HINCRBY', KEYS[6], ARGV[2] .. ':lost', -n)
  return {{epoch, 0}}
end
local last = redis.call('INCRBY', KEYS[2], n)
redis.call('XADD', KEYS[3], last .. '-0',
  'first', last - n + 1, 'shown', ARGV[8], 'counts', ARGV[9], 'events', ARGV[10])
local kept = redis.call('INCRBY', KEYS[4], ARGV[8])
local bytes = redis.call('INCRBY', KEYS[5], #ARGV[9] + #ARGV[10])
while (kept > tonumber(ARGV[6]) or bytes > tonumber(ARGV[7])) and redis.call('XLEN', KEYS[3]) > 1 do
  local oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', KEYS[3], oldest[1])
  redis.call('SET', KEYS[7], string.match(oldest[1], '^%d+'))
  kept = redis.call('DECRBY', KEYS[4], oldest[2][4])
  bytes = redis.call('DECRBY', KEYS[5], #oldest[2][6] + #oldest[2][8])
end
return {{epoch, last}}
"""

# KEYS all. ARGV name of a new epoch, producer, events it announced as far as known, how many are lost, as of when.
GIVE_UP = f"""
{_START}
if redis.call('HGET', KEYS[6], ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('INCRBY', KEYS[2], ARGV[4])
redis.call('HINCRBY', KEYS[6], ARGV[2] .. ':lost', ARGV[4])
redis.call('HSET', KEYS[6], ARGV[2] .. ':lost_at', ARGV[5])
return tonumber(ARGV[4])
"""


class Announcement(TypedDict):
    """`n` events arrived at a producer, which announced `before` events before.

    `counts` holds (stream, type, number) and adds up to n; `events` some of them, oldest first, as (stream, type,
    JSON text). `accepted_at` is the Unix time of the oldest.
    """

    producer: str
    before: int
    n: int
    counts: Sequence[Sequence[Any]]
    events: Sequence[Sequence[Any]]
    accepted_at: float


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the feed: numbers count within an epoch, which ends when Redis loses what it held."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of events `first` to `last`: `counts` and `events` of their announcement, as JSON."""

    first: int
    last: int
    counts: bytes
    events: bytes


@dataclass(frozen=True, slots=True)
class Replay:
    """What the log holds after a number. Up to `trimmed`, it has no more what it had."""

    position: Position
    trimmed: int
    entries: list[Entry]


def client() -> "redis.Redis":
    return connections(settings.REDIS_URL, TIMEOUT_SECONDS)


@cache
def _script(text: str) -> Any:
    return client().register_script(text)


def new_producer() -> str:
    return secrets.token_hex(8)


def _new_epoch() -> str:
    return secrets.token_hex(8)


def register(producer: str) -> None:
    """From here on, what this producer pushes and does not announce is missed."""
    _script(REGISTER)(KEYS, [_new_epoch(), producer])


def append(announcement: Announcement) -> Position | None:
    """Give the announced events their numbers and keep them for replay; where that ends.

    None when they have numbers already: this announcement was appended before, or was given up as lost. Raises
    redis.RedisError; trying again is safe.
    """
    counts, events = orjson.dumps(announcement["counts"]), orjson.dumps(announcement["events"])
    epoch, last = _script(APPEND)(
        KEYS,
        [
            _new_epoch(),
            *(announcement["producer"], announcement["before"], announcement["n"], announcement["accepted_at"]),
            *(settings.FEED_REPLAY_EVENTS, MOST_REPLAY_BYTES),
            *(len(announcement["events"]), counts, events),
        ],
    )
    return Position(epoch.decode(), last) if last else None


def position() -> Position:
    """The number of the last event announced. Raises redis.RedisError."""
    epoch, last = _script(POSITION)(KEYS, [_new_epoch()])
    return Position(epoch.decode(), last)


def entry(position: Position) -> Entry | None:
    """The announcement that ended at this position; None when it is not kept any more."""
    with client().pipeline(transaction=True) as pipeline:
        pipeline.get(EPOCH)
        pipeline.xrange(REPLAY, f"{position.seq}-0", f"{position.seq}-0")
        epoch, found = pipeline.execute()
    return _entry(*found[0]) if found and epoch == position.epoch.encode() else None


def read(after: int, count: int) -> Replay:
    """At most `count` announcements that end after this number, oldest first. Raises redis.RedisError."""
    with client().pipeline(transaction=True) as pipeline:
        pipeline.get(EPOCH)
        pipeline.get(SEQ)
        pipeline.get(TRIMMED)
        pipeline.xrange(REPLAY, min=f"{after + 1}-0", count=count)
        epoch, seq, trimmed, found = pipeline.execute()
    if epoch is None:
        return Replay(position(), 0, [])
    entries = [_entry(*item) for item in found]
    return Replay(Position(epoch.decode(), int(seq or 0)), int(trimmed or 0), entries)


def _entry(id: bytes, fields: dict[bytes, bytes]) -> Entry:
    return Entry(int(fields[b"first"]), int(id.partition(b"-")[0]), fields[b"counts"], fields[b"events"])


def reconcile(now: float | None = None) -> int:
    """Number what producers pushed and did not announce, and do not seem to be about to; how many events.

    A producer is given up when for SETTLE_SECONDS it pushed and announced nothing, between two calls of this. One that
    was merely asleep is not counted twice: its announcement is then refused.
    """
    now = time.time() if now is None else now
    pushed = buffer.pushed()
    known = {name.decode(): value.decode() for name, value in client().hgetall(PRODUCERS).items()}  # type: ignore[union-attr]
    return sum(_reconcile(producer, count, known, now) for producer, count in pushed.items() if producer in known)


def _reconcile(producer: str, pushed: int, known: dict[str, str], now: float) -> int:
    announced = known[producer]
    state = f"{pushed} {announced}"
    seen, _, seen_at = known.get(f"{producer}:seen", "").rpartition(" ")
    if seen != state:
        client().hset(PRODUCERS, f"{producer}:seen", f"{state} {now}")
        return 0
    quiet_seconds = now - float(seen_at)
    missing = pushed - int(announced) - int(known.get(f"{producer}:lost", 0))
    if missing > 0 and quiet_seconds >= SETTLE_SECONDS:
        return int(_script(GIVE_UP)(KEYS, [_new_epoch(), producer, announced, missing, now]))
    if quiet_seconds >= FORGET_SECONDS:
        buffer.forget_producer(producer)
        client().hdel(PRODUCERS, *(producer + end for end in ("", ":lost", ":lost_at", ":seen")))
    return 0
