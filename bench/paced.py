"""Requests at a given rate, or as fast as they are answered; when each was sent and answered.

At a rate, every request has a time of its own, whatever became of those before. Latencies count from that time on: a
server that stalls is charged with all who would have come meanwhile.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

import uvloop

from bench.load import HOST, LoadFailed, body_of_answer


@dataclass(slots=True)
class Times:
    """By request: monotonic times. `cpu_seconds`: the sender's own."""

    due_at: list[float] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    accepted_at: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0

    @property
    def requests(self) -> int:
        return len(self.accepted_at)

    @property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        return max(self.accepted_at) - self.sent_at[0]

    @property
    def latencies_ms(self) -> list[float]:
        return [(accepted - due) * 1000 for due, accepted in zip(self.due_at, self.accepted_at, strict=True)]


def send_paced(port: int, requests: Iterable[bytes], connections: int, per_second: float | None = None) -> Times:
    """Send each request once, at `per_second` as long as connections are free. Raises LoadFailed."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send(port, requests, connections, per_second))


async def _send(port: int, requests: Iterable[bytes], connections: int, per_second: float | None) -> Times:
    times, cpu = Times(), time.process_time()
    opened: list[_Connection] = []
    try:
        for _ in range(connections):
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, HOST, port)
            opened.append(connection)
        schedule = _schedule(requests, time.monotonic(), per_second)
        async with asyncio.TaskGroup() as group:
            for connection in opened:
                group.create_task(_work(connection, schedule, times))
    except OSError as error:
        raise LoadFailed(f"No connection to port {port}: {error}") from error
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        for connection in opened:
            connection.close()
    times.cpu_seconds = time.process_time() - cpu
    return times


Scheduled = tuple[int, float | None, bytes]
"""Number of the request, when it is due (None: now), request."""


def _schedule(requests: Iterable[bytes], start: float, per_second: float | None) -> Iterator[Scheduled]:
    for number, request in enumerate(requests):
        yield number, None if per_second is None else start + number / per_second, request


async def _work(connection: "_Connection", schedule: Iterator[Scheduled], times: Times) -> None:
    for number, due_at, request in schedule:
        times.due_at.append(0.0)
        times.sent_at.append(0.0)
        times.accepted_at.append(0.0)
        if due_at is not None:
            await asyncio.sleep(due_at - time.monotonic())
        times.sent_at[number] = time.monotonic()
        times.due_at[number] = times.sent_at[number] if due_at is None else due_at
        await connection.ask(request)
        times.accepted_at[number] = time.monotonic()


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = b""
        self._answered: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(LoadFailed("The server closed the connection before it answered."))

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            if body_of_answer(self._received) is not None:
                self._received = b""
                self._end(None)
        except LoadFailed as error:
            self._end(error)

    async def ask(self, request: bytes) -> None:
        """Raises LoadFailed for any answer but 202."""
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._answered

    def close(self) -> None:
        self._transport.abort()

    def _end(self, error: LoadFailed | None) -> None:
        if self._answered is None or self._answered.done():
            return
        if error is None:
            self._answered.set_result(None)
        else:
            self._answered.set_exception(error)
