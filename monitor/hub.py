"""The process's ear on the feed: one member of the channel layer's group, for all sockets of the process.

One member means that a batch is decoded once, not once per client. Several workers publish at once and messages get
lost, so batches come out of order or not at all: whatever is missing is read in the log of the feed. What listeners
hear has no hole and no repeat; what the log does not have is a gap.
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from redis import RedisError

from ingest import feed
from ingest.feed import Position
from monitor.batches import Batch, Gap
from monitor.broadcast import GROUP
from monitor.replay import Item, reader

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
AWAY_SECONDS = 10.0


class Listener(Protocol):
    """Called on the event loop, in the order of the feed; must neither block nor raise."""

    def on_batch(self, batch: Batch) -> None: ...

    def on_gap(self, gap: Gap) -> None: ...

    def on_away(self) -> None:
        """Redis has not answered for AWAY_SECONDS: nobody knows what arrives."""


class Hub:
    """Listens as long as somebody listens to it."""

    def __init__(self) -> None:
        self._listeners: dict[Listener, None] = {}
        self._lock = asyncio.Lock()
        self._position: Position | None = None
        self._channel = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._repairing: asyncio.Task[None] | None = None
        self._more_missing = False
        self._away = False

    @property
    def position(self) -> Position:
        """What listeners have been told up to. Only while there are some."""
        assert self._position is not None
        return self._position

    async def join(self, listener: Listener) -> None:
        """Hear of everything after the present `position`. Raises redis.RedisError or OSError when Redis is away."""
        async with self._lock:
            if not self._tasks:
                await self._start()
            elif self._away:
                raise ConnectionError("Redis does not answer.")
            self._listeners[listener] = None

    async def leave(self, listener: Listener) -> None:
        """Does nothing for one that did not join."""
        async with self._lock:
            self._listeners.pop(listener, None)
            if not self._listeners and self._tasks:
                await self._stop()

    async def _start(self) -> None:
        layer = _layer()
        self._channel = await layer.new_channel()
        try:
            await layer.group_add(GROUP, self._channel)
            # Joined first, asked second: nothing falls between, and numbers tell what was heard twice.
            self._position = await asyncio.to_thread(feed.position)
        except BaseException:
            # A channel that stayed in the group without a reader would collect messages for ever.
            with suppress(RedisError, OSError):
                await layer.group_discard(GROUP, self._channel)
            raise
        self._away = False
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._poll())]

    async def _stop(self) -> None:
        tasks, self._tasks = [*self._tasks, *([self._repairing] if self._repairing else [])], []
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._repairing = None
        with suppress(RedisError, OSError):
            await _layer().group_discard(GROUP, self._channel)

    async def _read(self) -> None:
        layer = _layer()
        while True:
            try:
                self._take(Batch.of_message(await layer.receive(self._channel)))
            except Exception:
                logger.exception("A batch of the live feed could not be shown.")

    async def _poll(self) -> None:
        """Find what is missing although nothing comes after it, or nothing comes at all."""
        seen, answered_at = self.position, time.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                position = await asyncio.to_thread(feed.position)
            except (RedisError, OSError) as error:
                logger.warning("The live feed cannot be followed for the moment: %s", error)
                if not self._away and time.monotonic() - answered_at >= AWAY_SECONDS:
                    self._tell_away()
                continue
            answered_at, self._away = time.monotonic(), False
            if seen.epoch != self.position.epoch or seen.seq > self.position.seq:
                self._repair()
            seen = position

    def _tell_away(self) -> None:
        self._away = True
        for listener in list(self._listeners):
            listener.on_away()

    def _take(self, batch: Batch) -> None:
        if (batch.epoch, batch.first) == (self.position.epoch, self.position.seq + 1):
            self._tell(batch)
        elif batch.epoch != self.position.epoch or batch.last > self.position.seq:
            self._repair()

    def _repair(self) -> None:
        self._more_missing = True
        if self._repairing is None:
            self._repairing = asyncio.create_task(self._read_log())
            self._repairing.add_done_callback(self._repaired)

    def _repaired(self, task: "asyncio.Task[None]") -> None:
        self._repairing = None
        if not task.cancelled() and (error := task.exception()):
            logger.warning("What is missing of the live feed cannot be read for the moment: %s", error)

    async def _read_log(self) -> None:
        complete = False
        while self._more_missing or not complete:
            self._more_missing = False
            stretch = await reader().read(self.position.seq)
            if complete := stretch.position.epoch == self.position.epoch:
                for item in stretch.items:
                    self._tell(item)
                complete = stretch.complete
            else:
                self._tell(Gap(stretch.position.epoch, 1, 0, "new_epoch"))

    def _tell(self, item: Item) -> None:
        """To all, unless they know: what was missing may have come while it was looked up."""
        if item.epoch == self.position.epoch and item.last <= self.position.seq:
            return
        self._position = Position(item.epoch, item.last)
        for listener in list(self._listeners):
            if isinstance(item, Batch):
                listener.on_batch(item)
            else:
                listener.on_gap(item)


def _layer() -> Any:
    return get_channel_layer()


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """That of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
