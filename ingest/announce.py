"""Telling the world what was accepted, after it was accepted.

Arrivals of one process are gathered for NOTIFY_INTERVAL_MS and handed to the Celery task `monitor.broadcast`: exact
counts of all, the newest NOTIFY_MAX_EVENTS (and MOST_BYTES) in full. Best effort by design: nothing here can delay,
fail or lose an event.
"""

import asyncio
import itertools
import logging
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from celery import current_app
from django.conf import settings

from ingest import chunks
from ingest.envelope import Event
from ingest.pusher import Pushed
from ingest.rollups import OTHER_TYPES

logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 20
MOST_COUNTS = 500
NUDGE_SECONDS = 0.1
RETRY = {"max_retries": 1, "interval_start": 0}  # a connection that died unnoticed

Kind = tuple[str, str | None]
"""Stream and type."""

Arrival = tuple[str, UUID, int, Event]
"""Stream, chunk, place in the chunk, event."""


class Announcer:
    """One for each event loop; sends from a thread of its own, since a task costs about a millisecond."""

    def __init__(self) -> None:
        self._counts: Counter[Kind] = Counter()
        self._newest: deque[Arrival] = deque(maxlen=settings.NOTIFY_MAX_EVENTS)
        self._oldest_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._sending = False
        self._nudge: asyncio.TimerHandle | None = None
        self._nudged_at = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="announce")

    def add(self, stream: str, pushed: Pushed, events: Sequence[Event]) -> None:
        """Note events that were accepted into the buffer."""
        if not self._counts:
            self._oldest_at = time.time()
        self._counts.update([(stream, event[1]) for event in events])
        shown = min(len(events), settings.NOTIFY_MAX_EVENTS)
        for index in range(len(events) - shown, len(events)):
            self._newest.append((stream, pushed.chunk_id, pushed.first + index, events[index]))
        self._schedule()

    def nudge(self) -> None:
        """Ask for a flush now, without waiting for the tick; at most every NUDGE_SECONDS."""
        if self._nudge is None:
            loop = asyncio.get_running_loop()
            self._nudge = loop.call_at(max(loop.time(), self._nudged_at + NUDGE_SECONDS), self._send_nudge, loop)

    def _send_nudge(self, loop: asyncio.AbstractEventLoop) -> None:
        self._nudge, self._nudged_at = None, loop.time()
        self._thread.submit(_send, "ingest.flush", [], "flush", 5.0)

    def close(self) -> None:
        """Send nothing more, after what is being sent."""
        for timer in (self._timer, self._nudge):
            if timer is not None:
                timer.cancel()
        self._thread.shutdown()

    def _schedule(self) -> None:
        if self._timer is None and not self._sending and self._counts:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(settings.NOTIFY_INTERVAL_SECONDS, self._send, loop)

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._sending = None, True
        counts, newest = self._counts, list(self._newest)
        self._counts = Counter()
        self._newest.clear()
        sent = self._thread.submit(_announce, counts, newest, self._oldest_at)
        sent.add_done_callback(lambda _: loop.is_closed() or loop.call_soon_threadsafe(self._sent))

    def _sent(self) -> None:
        self._sending = False
        self._schedule()


def _announce(counts: Counter[Kind], newest: list[Arrival], at: float) -> None:
    shown = within(newest, MOST_BYTES)
    kinds = {(stream, event[1]) for stream, _, _, event in shown}
    announcement = {
        "n": counts.total(),
        "counts": [[stream, type_, n] for (stream, type_), n in folded(counts, kinds, MOST_COUNTS).items()],
        "events": [
            [stream, event[1], as_json(stream, chunks.event_id(id, index), event)] for stream, id, index, event in shown
        ],
        "accepted_at": at,
    }
    _send("monitor.broadcast", [announcement], "notify", 30.0)


def folded(counts: Counter[Kind], shown: set[Kind], most: int) -> Counter[Kind]:
    """The counts, the rarest of a flood of types put together as OTHER_TYPES of their stream; the sum stays.

    Types of events that are shown keep a count of their own.
    """
    if len(counts) <= most:
        return counts
    kept: Counter[Kind] = Counter()
    for place, (kind, n) in enumerate(counts.most_common()):
        kept[kind if place < most or kind in shown else (kind[0], OTHER_TYPES)] += n
    return kept


def within(newest: list[Arrival], most_bytes: int) -> list[Arrival]:
    """As many of the newest as fit together."""
    sizes = itertools.accumulate(len(event[3]) for *_, event in reversed(newest))
    fitting = sum(1 for _ in itertools.takewhile(lambda size: size <= most_bytes, sizes))
    return newest[len(newest) - fitting :]


def as_json(stream: str, id: UUID, event: Event) -> str:
    """The event as the API shows it, as JSON text; its payload is not parsed again."""
    key, type_, time_, payload = event
    head = orjson.dumps(
        {
            "id": str(id),
            "stream": stream,
            "type": type_,
            "key": key,
            "time": time_ and datetime.fromisoformat(time_),
            "received_at": chunks.received_at(id),
        },
        option=orjson.OPT_UTC_Z,
    )
    return (head[:-1] + b',"payload":' + payload + b"}").decode()


def _send(task: str, arguments: list[Any], queue: str, expires_seconds: float) -> None:
    try:
        current_app.send_task(
            task, args=arguments, queue=queue, expires=expires_seconds, retry_policy=RETRY, ignore_result=True
        )
    except Exception as error:  # a thread's end: whatever the broker has, the events are safe
        logger.warning("%s could not be sent to the broker: %s", task, error)
