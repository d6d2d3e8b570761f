"""Once a second, how much arrives and how far storing has come, for all who watch in this process."""

import asyncio
import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from heapq import nlargest
from operator import itemgetter
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.db import Error as DatabaseError
from django.db import connection
from redis import RedisError

from ingest import progress
from ingest.progress import Progress
from monitor.batches import Batch, Gap
from monitor.frames import encode
from monitor.hub import hub

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
WINDOW_SECONDS = 5.0
PROGRESS_TIMEOUT_SECONDS = 2.0
MOST_LISTED = 20

# A database that hangs then hangs this thread and nothing else.
_reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="progress")

Streams = frozenset[str] | None
Kind = tuple[str, str | None]
"""Stream and type."""


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a moment. By (stream, type): `rates` are events per second over WINDOW_SECONDS, `counts` the events
    since the report before, which was `interval_seconds` ago.
    """

    at: float
    interval_seconds: float
    total: int
    rates: Mapping[Kind, float]
    counts: Mapping[Kind, int]
    progress: Progress | None
    _fields: dict[Streams, dict[str, Any]] = field(default_factory=dict, repr=False)

    def frame(self, id: str, streams: Streams) -> str:
        """A `stats` frame about some streams; totals of the service are null in it unless it is about all."""
        if streams not in self._fields:
            self._fields[streams] = self._about(streams)
        return encode("stats", id=id, **self._fields[streams])

    def _about(self, streams: Streams) -> dict[str, Any]:
        seen = [kind for kind in self.rates if streams is None or kind[0] in streams]
        received = {
            "total": self.total if streams is None else None,
            "per_second": round(sum(self.rates[kind] for kind in seen), 1),
            "n": sum(self.counts.get(kind, 0) for kind in seen),
        }
        stored = self.progress if streams is None else None
        return {
            "at": round(self.at, 3),
            "interval_seconds": round(self.interval_seconds, 3),
            "received": received,
            "by_stream": self._fastest("stream", {kind: kind[0] for kind in seen}),
            "by_type": self._fastest("type", {kind: kind[1] for kind in seen}),
            **_stored(stored),
        }

    def _fastest(self, name: str, names: Mapping[Kind, str | None]) -> list[dict[str, Any]]:
        rates: dict[str | None, float] = defaultdict(float)
        counts: dict[str | None, int] = defaultdict(int)
        for kind, of in names.items():
            rates[of] += self.rates[kind]
            counts[of] += self.counts.get(kind, 0)
        fastest = nlargest(MOST_LISTED, rates.items(), key=itemgetter(1))
        return [{name: of, "per_second": round(rate, 1), "n": counts[of]} for of, rate in fastest]


def _stored(stored: Progress | None) -> dict[str, Any]:
    if stored is None:
        return dict.fromkeys(("buffered", "stored", "duplicates", "dead", "lag_ms"))
    return {
        "buffered": {
            "events": stored.buffered_events,
            "bytes": stored.buffered_bytes,
            "oldest_age_seconds": stored.oldest_age_seconds,
        },
        "stored": stored.stored,
        "duplicates": stored.duplicates,
        "dead": stored.dead,
        "lag_ms": {"p50": stored.lag_p50_ms, "p99": stored.lag_p99_ms},
    }


class ReportListener(Protocol):
    """Called on the event loop; must neither block nor raise."""

    def on_report(self, report: Report) -> None: ...


class Ticker:
    """Runs as long as somebody listens."""

    def __init__(self) -> None:
        self._listeners: dict[ReportListener, None] = {}
        self._lock = asyncio.Lock()
        self._ticking: asyncio.Task[None] | None = None
        self._counted: Counter[Kind] = Counter()
        self._window: deque[tuple[float, Counter[Kind]]] = deque()
        self._since = self._told_at = 0.0

    async def join(self, listener: ReportListener) -> None:
        """Raises redis.RedisError or OSError when Redis is away."""
        async with self._lock:
            if self._ticking is None:
                await hub().join(self)
                self._since = self._told_at = time.monotonic()
                self._ticking = asyncio.create_task(self._tick())
            self._listeners[listener] = None

    async def leave(self, listener: ReportListener) -> None:
        """Does nothing for one that did not join."""
        async with self._lock:
            self._listeners.pop(listener, None)
            if not self._listeners and self._ticking is not None:
                self._ticking.cancel()
                await asyncio.wait([self._ticking])
                self._ticking = None
                self._window.clear()
                self._counted.clear()
                await hub().leave(self)

    def on_batch(self, batch: Batch) -> None:
        for stream, type, number in batch.counts:
            self._counted[stream, type] += number

    def on_gap(self, gap: Gap) -> None:
        pass

    def on_away(self) -> None:
        pass  # whoever listens to this listens to the hub too

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                self._tell(await _read_progress())
            except Exception:
                logger.exception("The statistics of the live feed could not be made.")

    def _tell(self, stored: Progress | None) -> None:
        now = time.monotonic()
        interval_seconds, self._told_at = now - self._told_at, now
        counts, self._counted = self._counted, Counter()
        rates = self._rates(now, counts)
        report = Report(time.time(), interval_seconds, hub().position.seq, rates, counts, stored)
        for listener in list(self._listeners):
            listener.on_report(report)

    def _rates(self, now: float, counts: "Counter[Kind]") -> dict[Kind, float]:
        self._window.append((now, counts))
        while self._window[0][0] <= now - WINDOW_SECONDS:
            self._since, _ = self._window.popleft()
        total = sum((counted for _, counted in self._window), Counter())
        return {key: number / (now - self._since) for key, number in total.items()}


async def _read_progress() -> Progress | None:
    """None while the database or the buffer is away: arrivals are shown regardless."""
    try:
        async with asyncio.timeout(PROGRESS_TIMEOUT_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(_reader, _progress_in_thread)
    except (DatabaseError, RedisError, OSError) as error:
        logger.warning("The progress of storing cannot be read: %s", str(error) or type(error).__name__)
        return None


def _progress_in_thread() -> Progress:
    try:
        return progress.read()
    finally:
        connection.close()


_tickers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Ticker]" = WeakKeyDictionary()


def ticker() -> Ticker:
    """That of the running event loop."""
    return _tickers.setdefault(asyncio.get_running_loop(), Ticker())
