"""Pushing accepted events to the buffer from the event loop: one push at a time, carrying all that gathered meanwhile.

Requests that arrive while a push is under way wait for it and then share the next. So the cost of a round trip, and
of the fsync behind it, is spread over all requests that are there to share it, and a lone request waits for nobody.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ingest import buffer, chunks
from ingest.envelope import Event
from ingest.errors import BufferFull, BufferUnreachable

SHARE_EVENTS = 10_000
SHARE_BYTES = 4 << 20
PUSH_TIMEOUT_SECONDS = 0.8
ATTEMPT_TIMEOUT_SECONDS = 0.35

payload_of = itemgetter(3)


class Pushed(NamedTuple):
    """Where a request's events are: from `first` on in chunk `chunk_id`; `shard_events` wait in its shard now."""

    chunk_id: UUID
    first: int
    shard_events: int
    payload_bytes: int


@dataclass(slots=True)
class _Waiting:
    stream_id: int
    events: Sequence[Event]
    size: int
    pushed: "asyncio.Future[Pushed]"


class Pusher:
    """One for each event loop, pushing as `producer`.

    A client that hangs up cancels its own wait, never a push that others share.
    """

    def __init__(self, producer: str) -> None:
        self._producer = producer
        self._client = redis.asyncio.Redis.from_url(
            settings.BUFFER_REDIS_URL,
            socket_timeout=ATTEMPT_TIMEOUT_SECONDS,
            socket_connect_timeout=ATTEMPT_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._script: Any = self._client.register_script(buffer.PUSH)
        self._shards = itertools.cycle(buffer.shards())
        self._gathered: list[_Waiting] = []
        self._pushing: asyncio.Task[None] | None = None

    @property
    def client(self) -> "redis.asyncio.Redis":
        return self._client

    async def push(self, stream_id: int, events: Sequence[Event]) -> Pushed:
        """Return once the events are in the buffer, fsynced if its Redis is set so.

        Raises BufferFull, or BufferUnreachable within a second. After BufferUnreachable the events may be in the
        buffer or not.
        """
        pushed: asyncio.Future[Pushed] = asyncio.get_running_loop().create_future()
        self._gathered.append(_Waiting(stream_id, events, sum(map(len, map(payload_of, events))), pushed))
        if self._pushing is None:
            self._pushing = asyncio.create_task(self._push_all())
        return await pushed

    async def close(self) -> None:
        """After the push that is under way: it would connect anew."""
        if self._pushing is not None:
            await asyncio.wait([self._pushing])
        await self._client.aclose()

    async def _push_all(self) -> None:
        try:
            while self._gathered:
                batch = self._take()
                try:
                    await self._push_chunk(batch)
                except BufferUnreachable as error:  # nor would it answer to those who wait behind this batch
                    _fail([*batch, *self._gathered], error)
                    self._gathered = []
                except Exception as error:
                    _fail(batch, error)
        finally:
            self._pushing = None

    def _take(self) -> list[_Waiting]:
        """What goes into the next chunk: the first, and as many after it as may share."""
        events = size = 0
        for count, waiting in enumerate(self._gathered):
            events, size = events + len(waiting.events), size + waiting.size
            if count and (events > SHARE_EVENTS or size > SHARE_BYTES):
                break
        else:
            count = len(self._gathered)
        batch, self._gathered = self._gathered[:count], self._gathered[count:]
        return batch

    async def _push_chunk(self, batch: list[_Waiting]) -> None:
        chunk_id = chunks.new_chunk_id()
        count = sum(len(waiting.events) for waiting in batch)
        chunk = chunks.encode(chunk_id, [(waiting.stream_id, waiting.events) for waiting in batch])
        shard_events = await self._append(chunk, count)
        first = 0
        for waiting in batch:
            if not waiting.pushed.done():
                waiting.pushed.set_result(Pushed(chunk_id, first, shard_events, waiting.size))
            first += len(waiting.events)

    async def _append(self, chunk: bytes, count: int) -> int:
        """Append to the next shard that has room; again when the answer is lost: the chunk's id makes that harmless."""
        deadline = time.monotonic() + PUSH_TIMEOUT_SECONDS
        for _ in buffer.shards():
            shard_events = await self._attempt(next(self._shards), chunk, count, deadline)
            if shard_events != buffer.FULL:
                return shard_events
        raise BufferFull(
            "Too many events wait to be stored. Send again later; if this lasts, see whether the flush workers and"
            " PostgreSQL run.",
            retry_after_seconds=5,
        )

    async def _attempt(self, shard: int, chunk: bytes, count: int, deadline: float) -> int:
        while True:
            try:
                arguments = [chunk, count, buffer.most_bytes_of_shard(), self._producer]
                return int(await self._script(buffer.keys(shard), arguments))
            except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
                if time.monotonic() + ATTEMPT_TIMEOUT_SECONDS > deadline:
                    raise BufferUnreachable(
                        "The buffer does not answer; these events may be kept or not. Send them again: with"
                        " idempotency keys they are stored once.",
                        retry_after_seconds=1,
                    ) from error
                await asyncio.sleep(0.05)
            except redis.ResponseError as error:
                raise BufferUnreachable(
                    f"The buffer takes no events now: {error}. Nothing of this request was kept.",
                    retry_after_seconds=5,
                ) from error


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.pushed.done():
            waiting.pushed.set_exception(error)
