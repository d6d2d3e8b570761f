"""The pulse of beat and of the workers that do what it asks: `monitor.tick` notes the time, by the clock of Redis."""

import time

from ingest.feed import client

KEY = "dh:heartbeat"

_started_at = time.monotonic()


def note() -> None:
    """Raises redis.RedisError."""
    seconds, _ = client().time()
    client().set(KEY, seconds)


def silent_seconds() -> float:
    """How long this process could have heard the pulse, and did not. Raises redis.RedisError."""
    with client().pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.get(KEY)
        (now, _), noted_at = pipeline.execute()
    up_seconds = time.monotonic() - _started_at
    return up_seconds if noted_at is None else min(up_seconds, max(0.0, float(now - int(noted_at))))
