"""Connections to checked addresses alone, each read and write of which ends with the run's deadline, and soon when it
was cancelled.

The name is resolved once for a connection and the address that passed is the one connected to; the Host header, the
server name of TLS and the verification of the certificate keep the name. Nothing is taken from the environment:
no proxy, no .netrc, no certificates.
"""

import ssl
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import httpcore2
import httpx2

from sources.address import Guard
from sources.http.budget import Budget

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 30.0
LOOK_SECONDS = 0.5
MOST_ADDRESSES_TRIED = 4


@cache
def default_tls() -> ssl.SSLContext:
    """Verifies certificates and names against the system's authorities."""
    return httpx2.create_ssl_context(trust_env=False)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """A server that is silent is listened to for LOOK_SECONDS at a time. Raises Cancelled, LimitExceeded."""
        until = time.monotonic() + _at_most(timeout, self._budget)
        while True:
            left = max(0.0, until - time.monotonic())
            try:
                return self._stream.read(max_bytes, min(LOOK_SECONDS, left) or 0.001)
            except httpcore2.ReadTimeout:
                self._budget.seconds_left()
                if time.monotonic() >= until:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._stream.write(buffer, _at_most(timeout, self._budget))
        except httpcore2.WriteTimeout:
            self._budget.seconds_left()
            raise

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        tls = self._stream.start_tls(ssl_context, server_hostname, _at_most(timeout, self._budget))
        return _Stream(tls, self._budget)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _at_most(timeout: float | None, budget: Budget) -> float:
    left = budget.seconds_left()
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, guard: Guard, budget: Budget) -> None:
        self._guard = guard
        self._budget = budget
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Raises AddressRefused, Unreachable, LimitExceeded besides the errors of httpcore2."""
        failure: Exception | None = None
        for address in self._guard.resolve(host, port)[:MOST_ADDRESSES_TRIED]:
            try:
                stream = self._sockets.connect_tcp(str(address), port, _at_most(timeout, self._budget))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._budget)
        raise failure or httpcore2.ConnectError(f"{host} has no address.")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore2.NetworkStream:
        raise httpcore2.UnsupportedProtocol("Sources do not reach Unix sockets.")


class _Content(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class Transport(httpx2.BaseTransport):
    """One request, one answer: no redirects, no cookies. Raises the errors of httpcore2 and of sources."""

    def __init__(
        self, guard: Guard, budget: Budget, tls: ssl.SSLContext | None = None, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._timeouts = {"connect": CONNECT_SECONDS, "read": idle_seconds, "write": idle_seconds, "pool": 1.0}
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls or default_tls(),
            max_connections=10,
            keepalive_expiry=15.0,
            network_backend=_Backend(guard, budget),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._pool.handle_request(
            httpcore2.Request(
                request.method,
                httpcore2.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.read(),
                extensions={"timeout": self._timeouts},
            )
        )
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Content(answer))

    def close(self) -> None:
        self._pool.close()
