"""Sending to one client, here and nowhere else: frames leave in one order, and nobody waits for a client."""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from monitor.acknowledgements import SLOW_CLOSE_SECONDS, Acknowledgements
from monitor.errors import Behind, FeedError, TooSlow

HEARTBEAT_SECONDS = 15.0
MAX_REPLIES = 1000

Outgoing = tuple[str, int | None]
"""A frame, and the last number that it covers."""


class Outbox:
    """Replies leave at once. What the feed brings waits for the end of the interval in which some left.

    `send` waits while the connection takes no more. `take` gives the frames that the feed has ready; told that the
    client is behind, only those that do not add to its load. `heartbeat` gives the one that is sent when there was
    none, `complain` is told of a client that is behind, `interval` the seconds between two servings of the feed.
    """

    def __init__(
        self,
        *,
        send: Callable[[str], Awaitable[None]],
        take: Callable[[bool], AsyncIterator[Outgoing]],
        heartbeat: Callable[[], str],
        complain: Callable[[FeedError], None],
        interval: Callable[[], float],
    ) -> None:
        self._send, self._take, self._heartbeat = send, take, heartbeat
        self._complain, self._interval = complain, interval
        self._replies: deque[str] = deque()
        self._wake = asyncio.Event()
        self._stirred = False
        self._close_code: int | None = None
        self._feed_due_at = 0.0
        self._sent_at = time.monotonic()
        self._acknowledgements = Acknowledgements()
        self._behind = False

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

    def acknowledge(self, seq: int) -> None:
        self._acknowledgements.acknowledge(seq)
        if self._behind:
            self.stir()

    def close(self, code: int) -> None:
        """End after the replies so far."""
        self._close_code = self._close_code or code
        self._wake.set()

    async def run(self) -> int:
        """Send until `close`, or until the client has been too slow for too long; the code to close with."""
        try:
            while self._close_code is None or self._replies:
                await self._wait()
                await self._deliver_all()
        except TooSlow as error:  # no use in saying so
            self._complain(error)
        assert self._close_code is not None
        return self._close_code

    async def _deliver_all(self) -> None:
        now = time.monotonic()
        if self._close_code is None:
            self._judge(now)
        while self._replies:
            await self._deliver(self._replies.popleft())
        if self._close_code is not None:
            return
        if self._stirred and now >= self._feed_due_at:
            await self._deliver_feed(now)
        if now >= self._sent_at + HEARTBEAT_SECONDS:
            await self._deliver(self._heartbeat())

    def _judge(self, now: float) -> None:
        if self._acknowledgements.late_seconds(now) >= SLOW_CLOSE_SECONDS:
            self._complain(TooSlow(f"Nothing was acknowledged for {SLOW_CLOSE_SECONDS:.0f} s; come back with 'since'."))
            return
        behind = self._acknowledgements.behind(now)
        if behind and not self._behind:
            self._complain(Behind("You acknowledge too slowly; events are only counted until you have caught up."))
        self._behind = behind

    async def _deliver_feed(self, now: float) -> None:
        self._stirred = False
        frames = 0
        async for frame, last in self._take(self._behind):
            frames += 1
            if last is not None:
                self._acknowledgements.sent(last, len(frame.encode()), time.monotonic())
            await self._deliver(frame)
        # Not all at once, though one batch stirs them all: other requests would wait behind every client.
        self._feed_due_at = now + self._interval() * max(1, frames) * random.uniform(0.75, 1.25)

    async def _deliver(self, frame: str) -> None:
        try:
            async with asyncio.timeout(SLOW_CLOSE_SECONDS):
                await self._send(frame)
        except TimeoutError as error:
            raise TooSlow(f"The connection took nothing for {SLOW_CLOSE_SECONDS:.0f} s.") from error
        self._sent_at = time.monotonic()

    async def _wait(self) -> None:
        due_at = self._sent_at + HEARTBEAT_SECONDS
        if self._stirred:
            due_at = self._feed_due_at
        due_at = min(due_at, self._acknowledgements.judged_at(self._behind))
        timer = asyncio.get_running_loop().call_later(due_at - time.monotonic(), self._wake.set)
        await self._wake.wait()
        timer.cancel()
        self._wake.clear()
