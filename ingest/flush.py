"""Emptying the buffer into PostgreSQL.

At most one transaction per shard is under way. A worker may die anywhere: before the commit the chunks are still in
the list; between commit and pop they are in both, and the ledger knows them. An outage of PostgreSQL raises, leaves
everything where it is, and the next tick tries again, for ever.
"""

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from ingest import buffer, counters
from ingest.chunks import received_at
from ingest.ledger import lock_shard
from ingest.writer import Written, write_chunks


@dataclass(slots=True)
class Flushed:
    stored: int = 0
    duplicates: int = 0
    dead: int = 0

    def add(self, written: Written) -> None:
        self.stored += written.stored
        self.duplicates += written.duplicates
        self.dead += written.dead


def flush(seconds: float = 20.0) -> Flushed:
    """Store what waits in all shards, until they are empty or the time is up.

    Raises django.db.Error or redis.RedisError when one of the two is away.
    """
    flushed, deadline = Flushed(), time.monotonic() + seconds
    working = True
    while working and time.monotonic() < deadline:
        working = False
        for shard in buffer.waiting_shards():
            working = flush_once(shard, flushed) or working
    return flushed


def flush_once(shard: int, flushed: Flushed) -> bool:
    """Store the head of one shard, adding to `flushed`; False when nothing waits or another worker is at it."""
    started_at = time.monotonic()
    with transaction.atomic():
        if not lock_shard(shard):
            return False
        waiting = buffer.peek(shard, settings.FLUSH_MAX_BYTES)
        if not waiting:
            return False
        written = write_chunks(waiting)
    buffer.pop(shard, written.committed)
    flushed.add(written)
    counters.observe("flush", time.monotonic() - started_at)
    now = time.time()
    buffer.record_flush([int((now - received_at(id).timestamp()) * 1000) for id in written.committed], now)
    return True
