"""A web service on 127.0.0.1 that answers as it is told: well, badly or with malice."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    server: "_Server"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            parts.path,
            {name: values[-1] for name, values in parse_qs(parts.query).items()},
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        provider = self.server.provider
        provider.requests.append(request)
        with suppress(ConnectionError):
            provider.reply_to(request)(self)

    do_GET = do_POST = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


Reply = Callable[[Handler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    provider: "Provider"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""


@dataclass
class Provider:
    """`on(path, …)` says what a path answers: one reply after the other, the last for ever; or a function."""

    host: str
    port: int
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _replies: dict[str, list[Reply]] = field(default_factory=dict)
    _functions: dict[str, Callable[[Request], Reply]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def on(self, path: str, *replies: Reply) -> str:
        """The URL of the path."""
        self._replies[path] = list(replies)
        return self.url + path

    def answer(self, path: str, function: Callable[[Request], Reply]) -> str:
        self._functions[path] = function
        return self.url + path

    def reply_to(self, request: Request) -> Reply:
        if request.path in self._functions:
            return self._functions[request.path](request)
        replies = self._replies.get(request.path, [status(404)])
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]


@contextmanager
def running(host: str = "127.0.0.1", tls: SSLContext | None = None) -> Iterator[Provider]:
    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.provider = Provider(host, server.server_address[1], "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.provider
    finally:
        server.provider.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


# Replies


def whole(body: bytes = b"", code: int = 200, **headers: str) -> Reply:
    """Header names with _ for -."""

    def reply(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def data(value: Any, code: int = 200, **headers: str) -> Reply:
    return whole(json.dumps(value).encode(), code, Content_Type="application/json", **headers)


def status(code: int, **headers: str) -> Reply:
    return whole(b"", code, **headers)


def redirect(location: str, code: int = 302) -> Reply:
    return status(code, Location=location)


def cut_off(body: bytes, said: int) -> Reply:
    """Says another length than it sends, and hangs up."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(said))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return reply


def raw(content: bytes) -> Reply:
    """These bytes in place of an answer."""

    def reply(handler: Handler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return reply


def drip(provider: Provider, pause_seconds: float, head: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Reply:
    """A byte now and then, for as long as somebody listens."""

    def reply(handler: Handler) -> None:
        handler.wfile.write(head)
        while not provider.stopped.wait(pause_seconds):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    return reply


def endless(provider: Provider, piece: bytes, **headers: str) -> Reply:
    """The piece again and again, as fast as it is taken."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.close_connection = True
        while not provider.stopped.is_set():
            handler.wfile.write(piece)

    return reply


def silent(provider: Provider, most_seconds: float = 20.0) -> Reply:
    def reply(handler: Handler) -> None:
        provider.stopped.wait(most_seconds)
        handler.close_connection = True

    return reply


def after(seconds: float, reply: Reply) -> Reply:
    def later(handler: Handler) -> None:
        time.sleep(seconds)
        reply(handler)

    return later


def token_endpoint(client_id: str, secret: str, lifetime_seconds: int = 3600) -> Callable[[Request], Reply]:
    """OAuth 2.0 client credentials with Basic: token-1, token-2, …"""
    from base64 import b64encode
    from itertools import count

    numbers = count(1)
    expected = "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()

    def reply(request: Request) -> Reply:
        if request.headers.get("authorization") != expected:
            return data({"error": "invalid_client"}, 401)
        token = f"token-{next(numbers)}"
        return data({"access_token": token, "token_type": "Bearer", "expires_in": lifetime_seconds})

    return reply
