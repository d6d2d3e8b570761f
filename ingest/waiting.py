"""`Prefer: wait=N` (RFC 7240): answering after the commit."""

import asyncio
import re
from dataclasses import dataclass
from uuid import UUID

import redis.asyncio
from asgiref.sync import sync_to_async
from django.db import connection

from ingest import buffer
from ingest.chunks import event_id
from ingest.models import DeadLetter, Duplicate, FlushedChunk

MOST_SECONDS = 30.0
POLL_SECONDS = 0.02
WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?(?:$|[,;\s])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stored:
    stored: int
    duplicates: int
    dead: int


def wait_seconds(prefer: str) -> float:
    """How long the client would wait; 0 when it did not ask."""
    match = WAIT.search(prefer)
    return min(float(match[1]), MOST_SECONDS) if match else 0.0


async def until_stored(client: "redis.asyncio.Redis", chunk_id: UUID, seconds: float) -> bool:
    """Wait until the chunk has left the buffer, which it does after its commit; False when the time is up first."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        try:
            pipeline = client.pipeline(transaction=False)
            for shard in buffer.shards():
                pipeline.hexists(buffer.keys(shard)[1], chunk_id.bytes)
            if not any(await pipeline.execute()):
                return True
        except (redis.RedisError, OSError):
            continue
    return False


def outcome(chunk_id: UUID, first: int, events: int) -> Stored | None:
    """What became of `events` events of a chunk, from its place `first` on; None when it is not stored."""
    if not FlushedChunk.objects.filter(id=chunk_id).exists():
        return None
    ids = (event_id(chunk_id, first), event_id(chunk_id, first + events - 1))
    duplicates = Duplicate.objects.filter(id__range=ids).count()
    dead = DeadLetter.objects.filter(id__range=ids).count()
    return Stored(events - duplicates - dead, duplicates, dead)


async def aoutcome(chunk_id: UUID, first: int, events: int) -> Stored | None:
    """As `outcome`, in a thread."""

    def read() -> Stored | None:
        try:
            return outcome(chunk_id, first, events)
        finally:
            connection.close()

    return await sync_to_async(read, thread_sensitive=False)()
