"""The way into a stream from within: the same buffer, rules and feed as for what is posted."""

import itertools
import time
from collections.abc import Sequence
from threading import Event as Signal

import redis
from django.conf import settings

from access.errors import ServiceError
from ingest import buffer, chunks
from ingest.announce import NUDGE_SECONDS, send
from ingest.envelope import Event
from ingest.pusher import Pushed
from ingest.streams import KnownStream, create_stream, known_streams
from sources.errors import Cancelled, LoadDelayed, LoadFailed
from sources.load.announcer import announcer

FIRST_PAUSE_SECONDS = 0.05
MOST_PAUSE_SECONDS = 1.0

_shards = itertools.count()


class Intake:
    """Puts events into one stream, made when it is not there.

    `patience_seconds`: how long one push may try. `ended`: set when it shall not go on trying.
    """

    def __init__(self, stream: str, patience_seconds: float, ended: Signal | None = None) -> None:
        self._name = stream
        self._patience_seconds = patience_seconds
        self._nudged_at = 0.0
        self._ended = ended or Signal()

    def stream(self) -> KnownStream:
        """With its present settings. Raises LoadFailed, LoadDelayed.

        Not to be asked for first inside a transaction that may be rolled back, and the stream with it.
        """
        try:
            stream = known_streams.find(self._name)
            if stream is None:
                create_stream(self._name)
                known_streams.expire()
                stream = known_streams.find(self._name)
        except ServiceError as error:
            failure = LoadDelayed if error.retry_after_seconds else LoadFailed
            raise failure(f"The stream {self._name!r} cannot be written: {error.detail}") from error
        if stream is None:
            raise LoadDelayed(f"The stream {self._name!r} was deleted just now.")
        return stream

    def push(self, stream: KnownStream, events: Sequence[Event], payload_bytes: int) -> None:
        """Return once the events are in the buffer, fsynced if its Redis is set so, and noted for the feed.

        Raises LoadDelayed when it is full or away for too long, and Cancelled; after that the events may be in the
        buffer or not.
        """
        chunk_id = chunks.new_chunk_id()
        chunk = chunks.encode(chunk_id, [(stream.id, events)])
        waiting = self._append(chunk, len(events))
        announcer().add(stream.name, Pushed(chunk_id, 0, waiting, payload_bytes), events)
        if waiting >= settings.FLUSH_MAX_EVENTS:
            self._nudge()

    def _append(self, chunk: bytes, events: int) -> int:
        """Again when the answer is lost, and in the same shard, where the chunk's id makes that harmless."""
        deadline, pause_seconds = time.monotonic() + self._patience_seconds, FIRST_PAUSE_SECONDS
        full, shard = 0, self._next_shard()
        while True:
            try:
                waiting = buffer.push(shard, chunk, events, announcer().producer)
                if waiting != buffer.FULL:
                    return waiting
                full, shard = full + 1, self._next_shard()
                if full % len(buffer.shards()):
                    continue
                reason = "too many events wait to be stored: see whether the flush workers and PostgreSQL run"
            except redis.RedisError as error:
                reason = f"the buffer takes nothing now: {error}"
            if time.monotonic() + pause_seconds > deadline:
                raise LoadDelayed(
                    f"Events could not be put into the stream {self._name!r} for"
                    f" {self._patience_seconds:g} s; {reason}."
                )
            self._nudge()
            if self._ended.wait(pause_seconds):
                raise Cancelled
            pause_seconds = min(2 * pause_seconds, MOST_PAUSE_SECONDS)

    def _next_shard(self) -> int:
        shards = buffer.shards()
        return shards[next(_shards) % len(shards)]

    def _nudge(self) -> None:
        """Ask for a flush now, without waiting for the tick; at most every NUDGE_SECONDS."""
        if time.monotonic() >= self._nudged_at + NUDGE_SECONDS:
            self._nudged_at = time.monotonic()
            send("ingest.flush", [], "flush", 5.0)
