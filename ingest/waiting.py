"""`Prefer: wait=N` (RFC 7240): answering after the commit."""

import asyncio
import re
from collections import defaultdict
from contextlib import suppress
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


class Commits:
    """Watches chunks leave the buffer, which they do after their commit; one look at it serves all who wait."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client
        self._waiting: dict[UUID, set[asyncio.Future[None]]] = defaultdict(set)
        self._watching: asyncio.Task[None] | None = None

    async def until_stored(self, chunk_id: UUID, seconds: float) -> bool:
        """Wait for a chunk that was pushed; False when the time is up first."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[chunk_id].add(stored)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(seconds):
                await stored
        except TimeoutError:
            return False
        return True

    async def _watch(self) -> None:
        while self._waiting:
            await asyncio.sleep(POLL_SECONDS)
            with suppress(redis.RedisError, OSError):
                await self._look()
        self._watching = None

    async def _look(self) -> None:
        chunk_ids = list(self._waiting)
        pipeline = self._client.pipeline(transaction=False)
        for shard in buffer.shards():
            pipeline.hmget(buffer.keys(shard)[1], [chunk_id.bytes for chunk_id in chunk_ids])
        by_shard = await pipeline.execute()
        for chunk_id, *found in zip(chunk_ids, *by_shard, strict=True):
            if not any(found):
                self._release(chunk_id)
            elif all(stored.done() for stored in self._waiting[chunk_id]):
                del self._waiting[chunk_id]  # none of those who asked waits any longer

    def _release(self, chunk_id: UUID) -> None:
        for stored in self._waiting.pop(chunk_id):
            if not stored.done():
                stored.set_result(None)


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
