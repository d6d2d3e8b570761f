"""Sending to a group from synchronous code, with one event loop and one connection per process.

`async_to_sync` would open a connection for every message.
"""

import asyncio
import os
import threading
from typing import Any

from channels.layers import get_channel_layer

TIMEOUT_SECONDS = 5.0


class _Sender:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="channel-sender", daemon=True).start()

    def send(self, group: str, message: dict[str, Any]) -> None:
        sending = asyncio.run_coroutine_threadsafe(self._send(group, message), self._loop)
        try:
            sending.result(TIMEOUT_SECONDS)
        finally:
            sending.cancel()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(_layer().flush(), self._loop).result(TIMEOUT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _send(self, group: str, message: dict[str, Any]) -> None:
        await _layer().group_send(group, message)


class _Process:
    """The sender of this process, made at its first message: a fork inherits no thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sender: _Sender | None = None

    def sender(self) -> _Sender:
        with self._lock:
            if self._sender is None:
                self._sender = _Sender()
            return self._sender

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]

    def close(self) -> None:
        with self._lock:
            if self._sender is not None:
                self._sender.close()
                self._sender = None


def _layer() -> Any:
    return get_channel_layer()


_process = _Process()
os.register_at_fork(after_in_child=_process.forget)


def send(group: str, message: dict[str, Any]) -> None:
    """Send to all members of a group. Raises TimeoutError, or redis.RedisError when Redis is away."""
    _process.sender().send(group, message)


def close() -> None:
    """Let go of the connection; the next message makes a new one."""
    _process.close()
