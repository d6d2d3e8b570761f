"""The process's ear on the feed: one member of the channel layer's group, for all sockets of the process.

One member means that a batch is decoded and put in order once, not once per client.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from redis import RedisError

from monitor import feed
from monitor.batches import Batch, Gap, Position
from monitor.ordering import Ordering

logger = logging.getLogger(__name__)

HOLD_SECONDS = 1.0


class Listener(Protocol):
    """Called on the event loop, in the order of the feed; must neither block nor raise."""

    def on_batch(self, batch: Batch) -> None: ...

    def on_gap(self, gap: Gap) -> None: ...


class Hub:
    """Listens as long as somebody listens to it."""

    def __init__(self) -> None:
        self._listeners: dict[Listener, None] = {}
        self._lock = asyncio.Lock()
        self._ordering: Ordering | None = None
        self._channel = ""
        self._reading: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    @property
    def position(self) -> Position:
        """What listeners have been told up to. Only while there are some."""
        assert self._ordering is not None
        return self._ordering.position

    async def join(self, listener: Listener) -> None:
        """Hear of everything after the present `position`. Raises redis.RedisError when Redis is away."""
        async with self._lock:
            if self._reading is None:
                await self._start()
            self._listeners[listener] = None

    async def leave(self, listener: Listener) -> None:
        """Does nothing for one that did not join."""
        async with self._lock:
            self._listeners.pop(listener, None)
            if not self._listeners and self._reading is not None:
                await self._stop(self._reading)

    async def _start(self) -> None:
        layer = _layer()
        self._channel = await layer.new_channel()
        try:
            await layer.group_add(feed.GROUP, self._channel)
            # Joined first, asked second: nothing falls between, and numbers tell what was heard twice.
            self._ordering = Ordering(await asyncio.to_thread(feed.position))
        except BaseException:
            # A channel that stayed in the group without a reader would collect messages for ever.
            with suppress(RedisError, OSError):
                await layer.group_discard(feed.GROUP, self._channel)
            raise
        self._reading = asyncio.create_task(self._read())

    async def _stop(self, reading: "asyncio.Task[None]") -> None:
        self._reading = None
        self._be_patient(False)
        reading.cancel()
        await asyncio.wait([reading])
        await _layer().group_discard(feed.GROUP, self._channel)

    async def _read(self) -> None:
        layer = _layer()
        while True:
            try:
                self._take(Batch.of_message(await layer.receive(self._channel)))
            except Exception:
                logger.exception("A batch of the live feed could not be shown.")

    def _take(self, batch: Batch) -> None:
        assert self._ordering is not None
        self._tell(self._ordering.take(batch))
        self._be_patient(self._ordering.waiting)

    def _stop_waiting(self) -> None:
        assert self._ordering is not None
        self._patience = None
        self._tell(self._ordering.stop_waiting())
        self._be_patient(self._ordering.waiting)

    def _be_patient(self, waiting: bool) -> None:
        if waiting and self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._stop_waiting)
        elif not waiting and self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _tell(self, items: list[Batch | Gap]) -> None:
        for item in items:
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
