"""Sending to one client, here and nowhere else: frames leave in one order, and nobody waits for a client."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

FRAME_INTERVAL_SECONDS = 0.1
HEARTBEAT_SECONDS = 15.0
MAX_REPLIES = 1000


class Outbox:
    """Replies leave at once. What the feed brings waits for the end of the interval in which some left.

    `take` gives the frames that the feed has ready, `heartbeat` the one that is sent when there was none.
    """

    def __init__(
        self,
        send: Callable[[str], Awaitable[None]],
        take: Callable[[], list[str]],
        heartbeat: Callable[[], str],
    ) -> None:
        self._send, self._take, self._heartbeat = send, take, heartbeat
        self._replies: deque[str] = deque()
        self._wake = asyncio.Event()
        self._stirred = False
        self._close_code: int | None = None
        self._feed_due_at = 0.0
        self._sent_at = time.monotonic()

    @property
    def full(self) -> bool:
        return len(self._replies) >= MAX_REPLIES

    @property
    def closing(self) -> bool:
        return self._close_code is not None

    def reply(self, frame: str) -> None:
        self._replies.append(frame)
        self._wake.set()

    def stir(self) -> None:
        """The feed has something to send."""
        if not self._stirred:
            self._stirred = True
            self._wake.set()

    def close(self, code: int) -> None:
        """End after the replies so far."""
        self._close_code = self._close_code or code
        self._wake.set()

    async def run(self) -> int:
        """Send until `close`; the code to close with."""
        while True:
            await self._wait()
            while self._replies:
                await self._deliver(self._replies.popleft())
            if self._close_code is not None:
                return self._close_code
            if self._stirred and time.monotonic() >= self._feed_due_at:
                await self._deliver_feed()
            if time.monotonic() >= self._sent_at + HEARTBEAT_SECONDS:
                await self._deliver(self._heartbeat())

    async def _deliver_feed(self) -> None:
        self._stirred = False
        self._feed_due_at = time.monotonic() + FRAME_INTERVAL_SECONDS
        for frame in self._take():
            await self._deliver(frame)

    async def _deliver(self, frame: str) -> None:
        await self._send(frame)
        self._sent_at = time.monotonic()

    async def _wait(self) -> None:
        due_at = self._feed_due_at if self._stirred else self._sent_at + HEARTBEAT_SECONDS
        try:
            async with asyncio.timeout(due_at - time.monotonic()):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
