"""Telling the world what was accepted, after it was accepted.

Arrivals of one process are gathered for NOTIFY_INTERVAL_MS, entered into the feed (exact counts of all, at most
NOTIFY_MAX_EVENTS and MOST_BYTES of them in full), and the Celery task `monitor.broadcast` is asked to show them.
Nothing here can delay, fail or lose an event. While Redis is away, what arrives is counted until it is back.
"""

import asyncio
import itertools
import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import redis
from celery import current_app
from django.conf import settings

from ingest import chunks, feed
from ingest.envelope import Event
from ingest.feed import Announcement
from ingest.pusher import Pushed
from ingest.rollups import OTHER_TYPES

logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 20
MOST_COUNTS = 500
AGAIN_SECONDS = 0.5
NUDGE_SECONDS = 0.1
RETRY = {"max_retries": 1, "interval_start": 0}  # a connection that died unnoticed

Kind = tuple[str, str | None]
"""Stream and type."""

Arrival = tuple[int, str, UUID, int, Event]
"""Number among those of its announcement, stream, chunk, place in the chunk, event."""


class Gathering:
    """What arrived since the last announcement: exact counts, and the newest of each kind."""

    def __init__(self) -> None:
        self.n = 0
        self.counts: Counter[Kind] = Counter()
        self.oldest_at = 0.0
        self._newest: dict[Kind, deque[Arrival]] = defaultdict(partial(deque, maxlen=settings.NOTIFY_MAX_EVENTS))
        self._candidates = self._bytes = 0

    def add(self, stream: str, pushed: Pushed, events: Sequence[Event]) -> None:
        if not self.n:
            self.oldest_at = time.time()
        counts = Counter([event[1] for event in events])
        self.counts.update({(stream, type_): n for type_, n in counts.items()})
        for index in _newest_of_each(events, counts):
            self._keep((self.n + index, stream, pushed.chunk_id, pushed.first + index, events[index]))
        self.n += len(events)
        if self._candidates > 10 * settings.NOTIFY_MAX_EVENTS or self._bytes > 16 * MOST_BYTES:
            self._trim()

    def shown(self) -> list[Arrival]:
        """As many as an announcement shows, oldest first: of each kind the same number, as far as it has so many.

        So what is rare is seen beside what is frequent.
        """
        shares = fair_shares({kind: len(kept) for kind, kept in self._newest.items()}, settings.NOTIFY_MAX_EVENTS)
        newest = [list(kept)[len(kept) - shares[kind] :] for kind, kept in self._newest.items()]
        return within(sorted(itertools.chain.from_iterable(newest)), MOST_BYTES)

    def _keep(self, arrival: Arrival) -> None:
        self._newest[arrival[1], arrival[4][1]].append(arrival)
        self._candidates += 1
        self._bytes += len(arrival[4][3])

    def _trim(self) -> None:
        """While Redis is away this grows without end, but for this."""
        self.counts = folded(self.counts, set(), 10 * MOST_COUNTS)
        shown = self.shown()
        self._newest.clear()
        self._candidates = self._bytes = 0
        for arrival in shown:
            self._keep(arrival)


class Announcer:
    """One for each event loop; works in a thread of its own, since a task costs about a millisecond."""

    def __init__(self, producer: str) -> None:
        self._producer = producer
        self._announced = 0
        self._gathering = Gathering()
        self._timer: asyncio.TimerHandle | None = None
        self._sending = False
        self._unsent: Announcement | None = None
        self._nudge: asyncio.TimerHandle | None = None
        self._nudged_at = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="announce")
        self._thread.submit(_register, producer)

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
        await asyncio.wrap_future(self._thread.submit(self._announce, gathering))

    def close(self) -> None:
        """Send nothing more, after what is being sent."""
        for timer in (self._timer, self._nudge):
            if timer is not None:
                timer.cancel()
        self._thread.shutdown()

    def _send_nudge(self, loop: asyncio.AbstractEventLoop) -> None:
        self._nudge, self._nudged_at = None, loop.time()
        self._thread.submit(_send, "ingest.flush", [], "flush", 5.0)

    def _schedule(self, seconds: float) -> None:
        if self._timer is None and not self._sending:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._sending = None, True
        gathering = self._gathering
        if self._unsent is None:
            self._gathering = Gathering()
        sent = self._thread.submit(self._announce, gathering)
        sent.add_done_callback(lambda _: loop.is_closed() or loop.call_soon_threadsafe(self._sent))

    def _sent(self) -> None:
        self._sending = False
        if self._unsent is not None:
            self._schedule(AGAIN_SECONDS)
        elif self._gathering.n:
            self._schedule(settings.NOTIFY_INTERVAL_SECONDS)

    def _announce(self, gathering: Gathering) -> None:
        """In the thread. What could not be announced the last time goes first, and alone: it may have been."""
        announcement = self._unsent or self._announcement(gathering)
        if not announcement["n"]:
            return
        try:
            position = feed.append(announcement)
        except redis.RedisError as error:
            self._unsent = announcement
            logger.warning("What arrives cannot be shown live for the moment: %s", error)
            return
        self._unsent = None
        self._announced += announcement["n"]
        if position is not None:
            _send("monitor.broadcast", [position.epoch, position.seq], "notify", 30.0)

    def _announcement(self, gathering: Gathering) -> Announcement:
        shown = gathering.shown()
        kinds = {(stream, event[1]) for _, stream, *_, event in shown}
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


def _register(producer: str) -> None:
    try:
        feed.register(producer)
    except redis.RedisError as error:
        logger.warning("The feed cannot be reached: %s", error)


def _newest_of_each(events: Sequence[Event], counts: Counter[str | None]) -> Iterable[int]:
    """Places of the newest NOTIFY_MAX_EVENTS of each type, in order."""
    most = settings.NOTIFY_MAX_EVENTS
    if len(counts) == 1 or len(events) <= most:
        return range(max(0, len(events) - most), len(events))
    wanted = {type_: min(n, most) for type_, n in counts.items()}
    places = []
    for index in range(len(events) - 1, -1, -1):
        type_ = events[index][1]
        if wanted[type_]:
            wanted[type_] -= 1
            places.append(index)
    return reversed(places)


def fair_shares(wanted: dict[Kind, int], most: int) -> dict[Kind, int]:
    """Divide `most` so that nobody gets more than wanted, and who wants more gets the same (max-min fairness)."""
    shares, left = {}, most
    for place, (kind, number) in enumerate(sorted(wanted.items(), key=lambda item: item[1])):
        shares[kind] = min(number, left // (len(wanted) - place))
        left -= shares[kind]
    return shares


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


def within(shown: list[Arrival], most_bytes: int) -> list[Arrival]:
    """As many of the newest as fit together."""
    sizes = itertools.accumulate(len(event[3]) for *_, event in reversed(shown))
    fitting = sum(1 for _ in itertools.takewhile(lambda size: size <= most_bytes, sizes))
    return shown[len(shown) - fitting :]


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
