"""Telling the world what was accepted, after it was accepted.

Arrivals of one process are gathered for NOTIFY_INTERVAL_MS, entered into the feed (exact counts of all, at most
NOTIFY_MAX_EVENTS of them in full), and the Celery task `monitor.broadcast` is asked to show them.
Nothing here can delay, fail or lose an event. While Redis is away, what arrives is counted until it is back.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import redis
from celery import current_app
from django.conf import settings

from ingest import chunks, feed
from ingest.envelope import Event
from ingest.feed import Announcement
from ingest.gathering import MOST_COUNTS, Gathering, folded
from ingest.pusher import Pushed

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5
NUDGE_SECONDS = 0.1
RETRY = {"max_retries": 1, "interval_start": 0}  # a connection that died unnoticed


class Announcements:
    """Those of one producer, one after the other: not for two threads at once.

    `unsent`: what could not be entered into the feed the last time, and goes first.
    """

    def __init__(self, producer: str) -> None:
        self._producer = producer
        self._announced = 0
        self.unsent: Announcement | None = None

    def make(self, gathering: Gathering) -> None:
        """Announce what is unsent, and alone, since it may have been announced; else what has gathered."""
        announcement = self.unsent or self._announcement(gathering)
        if not announcement["n"]:
            return
        try:
            position = feed.append(announcement)
        except redis.RedisError as error:
            self.unsent = announcement
            logger.warning("What arrives cannot be shown live for the moment: %s", error)
            return
        self.unsent = None
        self._announced += announcement["n"]
        if position is not None:
            send("monitor.broadcast", [position.epoch, position.seq], "notify", 30.0)

    def _announcement(self, gathering: Gathering) -> Announcement:
        shown = gathering.shown()
        kinds = {(arrival.stream, arrival.event[1]) for arrival in shown}
        counts = folded(gathering.counts, kinds, MOST_COUNTS)
        return {
            "producer": self._producer,
            "before": self._announced,
            "n": gathering.n,
            "counts": [[stream, type_, n] for (stream, type_), n in counts.items()],
            "events": [
                [stream, event[1], as_json(stream, chunks.event_id(id, index), event)]
                for _, stream, id, index, event in shown
            ],
            "accepted_at": gathering.oldest_at,
        }


class Announcer:
    """One for each event loop; works in a thread of its own, since a task costs about a millisecond."""

    def __init__(self, producer: str) -> None:
        self._announcements = Announcements(producer)
        self._gathering = Gathering()
        self._timer: asyncio.TimerHandle | None = None
        self._sending = False
        self._nudge: asyncio.TimerHandle | None = None
        self._nudged_at = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="announce")
        self._thread.submit(register, producer)

    def add(self, stream: str, pushed: Pushed, events: Sequence[Event]) -> None:
        """Note events that were accepted into the buffer."""
        self._gathering.add(stream, pushed, events)
        self._schedule(settings.NOTIFY_INTERVAL_SECONDS)

    def nudge(self) -> None:
        """Ask for a flush now, without waiting for the tick; at most every NUDGE_SECONDS."""
        if self._nudge is None:
            loop = asyncio.get_running_loop()
            self._nudge = loop.call_at(max(loop.time(), self._nudged_at + NUDGE_SECONDS), self._send_nudge, loop)

    async def flush(self) -> None:
        """Announce what has gathered, now."""
        gathering, self._gathering = self._gathering, Gathering()
        for one in (Gathering(), gathering):  # what could not be sent the last time goes with the first
            await asyncio.wrap_future(self._thread.submit(self._announcements.make, one))

    def close(self) -> None:
        """Send nothing more, after what is being sent."""
        for timer in (self._timer, self._nudge):
            if timer is not None:
                timer.cancel()
        self._thread.shutdown()

    def _send_nudge(self, loop: asyncio.AbstractEventLoop) -> None:
        self._nudge, self._nudged_at = None, loop.time()
        self._thread.submit(send, "ingest.flush", [], "flush", 5.0)

    def _schedule(self, seconds: float) -> None:
        if self._timer is None and not self._sending:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._sending = None, True
        gathering = self._gathering
        if self._announcements.unsent is None:
            self._gathering = Gathering()
        sent = self._thread.submit(self._announcements.make, gathering)
        sent.add_done_callback(_complain)
        sent.add_done_callback(lambda _: loop.is_closed() or loop.call_soon_threadsafe(self._sent))

    def _sent(self) -> None:
        self._sending = False
        if self._announcements.unsent is not None:
            self._schedule(AGAIN_SECONDS)
        elif self._gathering.n:
            self._schedule(settings.NOTIFY_INTERVAL_SECONDS)


def _complain(sent: "Future[None]") -> None:
    if error := sent.exception():
        logger.error("An announcement broke; those who watch are told of a gap.", exc_info=error)


def register(producer: str) -> None:
    """As `feed.register`, if the feed is there."""
    try:
        feed.register(producer)
    except redis.RedisError as error:
        logger.warning("The feed cannot be reached: %s", error)


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


def send(task: str, arguments: list[Any], queue: str, expires_seconds: float) -> None:
    """Ask for a task, if the broker is there."""
    try:
        current_app.send_task(
            task, args=arguments, queue=queue, expires=expires_seconds, retry_policy=RETRY, ignore_result=True
        )
    except Exception as error:  # a thread's end: whatever the broker has, the events are safe
        logger.warning("%s could not be sent to the broker: %s", task, error)
