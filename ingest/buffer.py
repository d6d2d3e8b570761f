"""The buffer: Redis lists of accepted events on their way to PostgreSQL.

Keys, for each shard N of BUFFER_SHARDS (the braces put a shard's keys into one slot of a cluster):

    {dh:buf:N}          list    chunks, oldest first
    {dh:buf:N}:chunks   hash    chunk id (16 bytes) → number of its events
    {dh:buf:N}:size     hash    events, bytes: of what the list holds
    {dh:buf:N}:pushed   hash    producer (a process that accepts events) → events it ever pushed here
    dh:flush            hash    at: Unix seconds of the last flush
    dh:flush:lag        list    newest samples of milliseconds from acceptance to commit

A push appends; a flush reads the head, stores it, and only then pops what it stored: nothing leaves the list before
it is committed. Every change is one script, hence atomic. A push repeated with the same chunk id changes nothing, and
if the chunk was stored meanwhile the ledger in PostgreSQL recognises it.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from access.connections import connections
from ingest.chunks import ID_BYTES, received_at

MOST_SHARDS = 64
LAG_SAMPLES = 1000
LOOK_SECONDS = 1.0
FULL = -1

# KEYS list, chunks, size, pushed. ARGV chunk, its number of events, most bytes of the shard, producer. The shard's
# events after it, or FULL.
PUSH = f"""
local id = string.sub(ARGV[1], 1, {ID_BYTES})
if redis.call('HEXISTS', KEYS[2], id) == 1 then
  return tonumber(redis.call('HGET', KEYS[3], 'events') or 0)
end
local bytes = tonumber(redis.call('HGET', KEYS[3], 'bytes') or 0)
if bytes > 0 and bytes + #ARGV[1] > tonumber(ARGV[3]) then return {FULL} end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], id, ARGV[2])
redis.call('HINCRBY', KEYS[3], 'bytes', #ARGV[1])
redis.call('HINCRBY', KEYS[4], ARGV[4], ARGV[2])
return redis.call('HINCRBY', KEYS[3], 'events', ARGV[2])
"""

# KEYS list. ARGV most bytes. The chunks at the head: at least one if there is any, else as many as fit.
PEEK = """
local found, bytes, at = {}, 0, 0
while true do
  local page = redis.call('LRANGE', KEYS[1], at, at + 99)
  for _, chunk in ipairs(page) do
    bytes = bytes + #chunk
    if #found > 0 and bytes > tonumber(ARGV[1]) then return found end
    found[#found + 1] = chunk
  end
  if #page < 100 then return found end
  at = at + 100
end
"""

# KEYS list, chunks, size. ARGV ids of committed chunks. Pops the head while it is one of them: never by count, since
# another worker may have popped meanwhile.
POP = f"""
local committed, popped = {{}}, 0
for _, id in ipairs(ARGV) do committed[id] = true end
while true do
  local chunk = redis.call('LINDEX', KEYS[1], 0)
  if not chunk then break end
  local id = string.sub(chunk, 1, {ID_BYTES})
  if not committed[id] then break end
  redis.call('LPOP', KEYS[1])
  redis.call('HINCRBY', KEYS[3], 'bytes', -#chunk)
  redis.call('HINCRBY', KEYS[3], 'events', -tonumber(redis.call('HGET', KEYS[2], id) or 0))
  redis.call('HDEL', KEYS[2], id)
  popped = popped + 1
end
if popped > 0 and redis.call('EXISTS', KEYS[1]) == 0 then redis.call('DEL', KEYS[3]) end
return popped
"""

# KEYS list. The id of the oldest chunk.
OLDEST = f"""
local chunk = redis.call('LINDEX', KEYS[1], 0)
return chunk and string.sub(chunk, 1, {ID_BYTES})
"""


@dataclass(frozen=True, slots=True)
class Size:
    events: int
    bytes: int
    oldest_age_seconds: float | None


def shards() -> range:
    """Those that pushes go to."""
    return range(int(settings.BUFFER_SHARDS))


def waiting_shards() -> list[int]:
    """Those that hold chunks, also beyond BUFFER_SHARDS if it was larger once."""
    pipeline = client().pipeline(transaction=False)
    for shard in range(MOST_SHARDS):
        pipeline.exists(keys(shard)[0])
    return [shard for shard, exists in enumerate(pipeline.execute()) if exists]


def keys(shard: int) -> list[str]:
    """The shard's list, chunks, size and pushed."""
    name = f"{{dh:buf:{shard}}}"
    return [name, f"{name}:chunks", f"{name}:size", f"{name}:pushed"]


def most_bytes_of_shard() -> int:
    return int(max(1, settings.BUFFER_MAX_BYTES // settings.BUFFER_SHARDS))


@cache
def client() -> "redis.Redis":
    """The process's connection pool to the buffer, for synchronous code. Raises redis.RedisError when it is away."""
    return redis.Redis.from_url(
        settings.BUFFER_REDIS_URL, socket_timeout=10, socket_connect_timeout=2, health_check_interval=30
    )


def _onlooker() -> "redis.Redis":
    """For those who would rather not know than wait for a buffer that hangs."""
    return connections(settings.BUFFER_REDIS_URL, LOOK_SECONDS, repeats=1)


@cache
def _script(text: str) -> Any:
    return client().register_script(text)


def push(shard: int, chunk: bytes, events: int, producer: str = "") -> int:
    """Append a chunk, once. The number of events in the shard after it, or FULL when it was not taken."""
    return int(_script(PUSH)(keys(shard), [chunk, events, most_bytes_of_shard(), producer]))


def pushed() -> dict[str, int]:
    """How many events each producer pushed since it began."""
    pipeline = client().pipeline(transaction=False)
    for shard in range(MOST_SHARDS):
        pipeline.hgetall(keys(shard)[3])
    sums: Counter[str] = Counter()
    for counts in pipeline.execute():
        sums.update({producer.decode(): int(count) for producer, count in counts.items()})
    return dict(sums)


def forget_producer(producer: str) -> None:
    pipeline = client().pipeline(transaction=False)
    for shard in range(MOST_SHARDS):
        pipeline.hdel(keys(shard)[3], producer)
    pipeline.execute()


def peek(shard: int, max_bytes: int) -> list[bytes]:
    """The oldest chunks, at most `max_bytes` of them (but at least one). They stay."""
    found: list[bytes] = _script(PEEK)(keys(shard)[:1], [max_bytes])
    return found


def pop(shard: int, committed: Iterable[UUID]) -> int:
    """Remove chunks from the head as long as they are among those committed; how many."""
    return int(_script(POP)(keys(shard)[:3], [chunk_id.bytes for chunk_id in committed]))


def size(now: float | None = None) -> Size:
    """What waits to be stored, in all shards."""
    now = time.time() if now is None else now
    pipeline = _onlooker().pipeline(transaction=False)
    for shard in range(MOST_SHARDS):
        list_key, _, size_key, _ = keys(shard)
        pipeline.hmget(size_key, "events", "bytes")
        pipeline.eval(OLDEST, 1, list_key)
    answers = pipeline.execute()
    counts = [(int(events or 0), int(size or 0)) for events, size in answers[::2]]
    ages = [now - received_at(UUID(bytes=oldest)).timestamp() for oldest in answers[1::2] if oldest]
    return Size(
        events=sum(events for events, _ in counts),
        bytes=sum(size for _, size in counts),
        oldest_age_seconds=max(0.0, *ages) if ages else None,
    )


def waiting_chunks() -> list[UUID]:
    """The ids of all chunks that are in the buffer."""
    names: list[bytes] = [name for shard in waiting_shards() for name in client().hkeys(keys(shard)[1])]  # type: ignore[misc]
    return [UUID(bytes=name) for name in names]


def waiting_events(chunk_id: UUID) -> int:
    """How many events of that chunk wait in the buffer; 0 when it is not there."""
    pipeline = _onlooker().pipeline(transaction=False)
    for shard in range(MOST_SHARDS):
        pipeline.hget(keys(shard)[1], chunk_id.bytes)
    return sum(int(count) for count in pipeline.execute() if count)


def record_flush(lags_ms: Sequence[int], now: float | None = None) -> None:
    """Note that a flush ended, and how long its chunks had waited."""
    pipeline = client().pipeline(transaction=False)
    pipeline.hset("dh:flush", "at", str(time.time() if now is None else now))
    if lags_ms:
        pipeline.lpush("dh:flush:lag", *lags_ms[-LAG_SAMPLES:])
        pipeline.ltrim("dh:flush:lag", 0, LAG_SAMPLES - 1)
    pipeline.execute()


def lag_samples_ms() -> list[int]:
    return [int(sample) for sample in _onlooker().lrange("dh:flush:lag", 0, -1)]


def flushed_at() -> float | None:
    """When the last flush ended, Unix seconds."""
    at = _onlooker().hget("dh:flush", "at")
    return float(at) if at else None
