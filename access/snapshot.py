"""A small table held in the memory of a process, so that the hot path asks no database.

Used for API keys and for streams. A look-up is a dictionary access; what it returns is at most `max_age_seconds` old
while the database answers. While it does not, the last copy goes on serving: taking events in must survive an outage
of storage.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import connection

from access.errors import DirectoryUnavailable

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 0.5


class Snapshot(Generic[Value]):
    """A copy of a table by name. `load` reads the whole of it; `max_age_seconds` is asked at each look-up."""

    def __init__(self, load: Callable[[], dict[str, Value]], max_age_seconds: Callable[[], float]) -> None:
        self._load = load
        self._max_age_seconds = max_age_seconds
        self._lock = threading.Lock()
        self._entries: dict[str, Value] = {}
        self._loaded = False
        self._tried_at = 0.0
        self._loading: asyncio.Task[None] | None = None
        self._reading_since = 0.0

    def expire(self) -> None:
        """Make the next look-up read the table again (this process changed it)."""
        self._tried_at = 0.0

    def forget(self) -> None:
        """Know nothing, as in a new process."""
        self._entries, self._loaded = {}, False
        self.expire()

    def find(self, name: str) -> Value | None:
        """The entry of that name, for synchronous code; one that is missing is looked for in the table itself.

        Raises DirectoryUnavailable when the table could never be read.
        """
        started_at = time.monotonic()
        if self.known(name) is None:
            self.refresh(started_at)
        return self._entries.get(name)

    def known(self, name: str) -> Value | None:
        """As `find`, but in a copy that is young enough: one that is missing costs nothing."""
        if not self._loaded or self._age_seconds() > self._max_age_seconds():
            self.refresh(time.monotonic())
        return self._entries.get(name)

    async def aget(self, name: str) -> Value | None:
        """The entry of that name in a copy that is young enough, if the database answers; hardly ever waits for it."""
        age, max_age = self._age_seconds(), self._max_age_seconds()
        if not self._loaded:
            await self.arefresh()
        elif age > max_age:
            await self._refresh_briefly()
        elif age > max_age / 2:
            self._start_refresh()
        return self._entries.get(name)

    async def afind(self, name: str) -> Value | None:
        """As `aget`, but a missing name makes the table be read again, at most once a second for all callers together.

        So a key works as soon as it was created, and guessing keys costs the guesser time and the database nothing.
        """
        value = await self.aget(name)
        if value is None:
            await asyncio.sleep(max(0.0, RETRY_SECONDS - self._age_seconds()))
            await self.arefresh()
            value = self._entries.get(name)
        return value

    async def arefresh(self) -> None:
        """Read the table as it is now, not as a reading under way may have found it; callers share readings."""
        asked_at = time.monotonic()
        while not self._loaded or self._tried_at < asked_at:
            await asyncio.shield(self._start_refresh())

    async def _refresh_briefly(self) -> None:
        """Wait for the reading, but together not longer than PATIENCE_SECONDS: a database that hangs stops nobody."""
        reading = self._start_refresh()
        patience = self._reading_since + PATIENCE_SECONDS - time.monotonic()
        if patience > 0:
            await asyncio.wait([reading], timeout=patience)

    def refresh(self, needed_at: float) -> None:
        """Read the table, unless somebody did so after `needed_at` (seconds of the monotonic clock)."""
        with self._lock:
            if self._tried_at > needed_at:
                return
            tried_at = time.monotonic()
            try:
                self._entries = self._load()
                self._loaded = True
            except DatabaseError as error:
                if not self._loaded:
                    raise DirectoryUnavailable(
                        "The database cannot be reached, and nothing is known yet about keys and streams.",
                        retry_after_seconds=5,
                    ) from error
                logger.warning("The database cannot be reached; keys and streams are served from memory: %s", error)
            self._tried_at = tried_at

    def _age_seconds(self) -> float:
        return time.monotonic() - self._tried_at

    def _start_refresh(self) -> "asyncio.Task[None]":
        loop = asyncio.get_running_loop()
        if self._loading is None or self._loading.done() or self._loading.get_loop() is not loop:
            self._reading_since = time.monotonic()
            self._loading = loop.create_task(self._refresh_in_thread(self._reading_since))
            self._loading.add_done_callback(_retrieve)
        return self._loading

    async def _refresh_in_thread(self, needed_at: float) -> None:
        def refresh() -> None:
            try:
                self.refresh(needed_at)
            finally:
                connection.close()

        await sync_to_async(refresh, thread_sensitive=False)()


def _retrieve(task: "asyncio.Task[None]") -> None:
    """Mark a failure as seen: whoever waits for the task is told, and nobody may be waiting."""
    if not task.cancelled():
        task.exception()
