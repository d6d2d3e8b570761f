"""The load: prebuilt requests over keep-alive connections, every answer checked, at a few microseconds each."""

import asyncio
import itertools
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import uvloop

HOST = "127.0.0.1"
ACCEPTED = b"202"
LONGEST_SECONDS = 180.0
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class LoadFailed(Exception):
    """An answer was not 202, or none came."""


@dataclass(frozen=True, slots=True)
class Load:
    """What was sent. `started_at`: monotonic time of the first request; `cpu_seconds`: the sender's own."""

    requests: int
    answer_bytes: int
    started_at: float
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_microseconds_per_request(self) -> float:
        return self.cpu_seconds / self.requests * 1e6


def post(body: bytes, path: str, key: str) -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send_all(port: int, requests: Iterable[bytes], connections: int) -> Load:
    """Send each request once. Raises LoadFailed."""
    return _run(port, iter(requests), connections)


def send_for(port: int, requests: Iterable[bytes], connections: int, seconds: float) -> Load:
    """Send the requests over and over for that long. Raises LoadFailed."""
    return _run(port, until(requests, seconds), connections)


def until(requests: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    """The requests over and over, until so many seconds after the first was asked for."""
    deadline = time.monotonic() + seconds
    for request in itertools.cycle(requests):
        if time.monotonic() >= deadline:
            return
        yield request


def _run(port: int, requests: Iterator[bytes], connections: int) -> Load:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send(port, requests, connections))


async def _send(port: int, requests: Iterator[bytes], connections: int) -> Load:
    loop = asyncio.get_running_loop()
    clients = [_Client(requests, loop.create_future()) for _ in range(connections)]
    try:
        await asyncio.gather(*(loop.create_connection(lambda c=client: c, HOST, port) for client in clients))  # type: ignore[misc]
        started_at, cpu = time.monotonic(), time.process_time()
        for client in clients:
            client.send_next()
        async with asyncio.timeout(LONGEST_SECONDS):
            await asyncio.gather(*(client.done for client in clients))
        seconds, cpu_seconds = time.monotonic() - started_at, time.process_time() - cpu
    except TimeoutError as error:
        raise LoadFailed(f"Port {port} had not answered all requests after {LONGEST_SECONDS:g} s.") from error
    except OSError as error:
        raise LoadFailed(f"No connection to port {port}: {error}") from error
    finally:
        for client in clients:
            client.close()
    return Load(
        requests=sum(client.answers for client in clients),
        answer_bytes=sum(client.answer_bytes for client in clients),
        started_at=started_at,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
    )


class _Client(asyncio.Protocol):
    """One connection, one request at a time, until there are no more."""

    def __init__(self, requests: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._transport: asyncio.Transport
        self._received = b""
        self.done = done
        self.answers = 0
        self.answer_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(LoadFailed("The server closed the connection before it answered."))

    def send_next(self) -> None:
        if self.done.done():  # the server hung up already
            return
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        else:
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        try:
            body_bytes = body_of_answer(received)
        except LoadFailed as error:
            return self._fail(error)
        if body_bytes is None:
            self._received = received
            return
        self._received = b""
        self.answers += 1
        self.answer_bytes += body_bytes
        self.send_next()

    def close(self) -> None:
        """The first failure speaks for all: those of the other connections count as seen."""
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()
        if hasattr(self, "_transport"):
            self._transport.abort()

    def _fail(self, error: LoadFailed) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def body_of_answer(received: bytes) -> int | None:
    """The length of the answer's body once all of it is there, else None. Raises LoadFailed for any but a plain 202."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    match = CONTENT_LENGTH.search(received, 0, head + 2)
    if match is None or received[9:12] != ACCEPTED:
        raise LoadFailed(f"Not an answer 202 with Content-Length: {received[:500].decode('latin-1')}")
    return int(match[1]) if len(received) >= head + 4 + int(match[1]) else None
