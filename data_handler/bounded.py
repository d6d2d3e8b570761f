"""A bound on what runs at once: each of Django's requests takes a thread and a database connection."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Bounded:
    """An ASGI application that lets at most `most` requests into another; further ones wait. Probes never wait."""

    def __init__(self, application: Application, most: int) -> None:
        self._application = application
        self._most = most
        self._places = asyncio.Semaphore(most)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/health/"):
            return await self._application(scope, receive, send)
        async with self._places:
            await self._application(scope, receive, send)

    async def drain(self, seconds: float) -> None:
        """Let no more of them in, and wait until those that came before are answered, or the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for _ in range(self._most):
                    await self._places.acquire()
