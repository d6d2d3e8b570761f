"""Daphne, with what it lacks: `python -m data_handler.web -b HOST -p PORT data_handler.asgi:application`.

It ends with grace: at SIGTERM it takes no more events (503, `Retry-After`), asks those who watch to come back, and
answers what is under way. And `send`, to a WebSocket or of a part of an answer, waits while the client's connection
takes no more, where Daphne would pile up all of it in memory. An answer that fails when it has begun is cut short,
where Daphne would leave the client waiting.
"""

import asyncio
import atexit
import os
import sys
from typing import Any

from daphne import http_protocol
from daphne.cli import CommandLineInterface
from daphne.server import Server, twisted_loop
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from data_handler.garbage import collect_rarely

DRAIN_SECONDS = 5.0
CLOSE_SECONDS = 5.0
MOST_WAITING_FRAMES = 20
READ_AGAIN_SECONDS = 0.02


@implementer(IPushProducer)
class Flow:
    """What Twisted tells of a connection: whether its buffer, of 64 KiB, is full."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    @property
    def is_free(self) -> bool:
        return self._free.is_set()

    async def free(self) -> None:
        await self._free.wait()

    def pauseProducing(self) -> None:
        self._free.clear()

    def resumeProducing(self) -> None:
        self._free.set()

    def stopProducing(self) -> None:
        """The connection is gone; nobody waits for it any more."""
        self._free.set()


class Protocol(WebSocketProtocol):  # type: ignore[misc]
    """A client is read no faster than its frames are dealt with, and gets no pong that it would not read.

    Of a message that is too large for memory the application gets as many spaces as would fit, to refuse them. Who is
    still sending when it is closed has CLOSE_SECONDS to come to read why; a connection reset sooner may tell nothing.
    """

    closeHandshakeTimeout = CLOSE_SECONDS
    flow: Flow | None = None
    unread = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        super().onMessage(payload, isBinary)
        if not self.unread and self.application_queue.qsize() > MOST_WAITING_FRAMES:
            self.unread = True
            self.transport.pauseProducing()
            asyncio.get_running_loop().call_later(READ_AGAIN_SECONDS, self._read_again)

    def _max_message_size_exceeded(self, msg_size: int, max_msg_size: int, reason: str) -> None:
        """Autobahn would drop the connection without a word. What has this attribute reads past all that follows."""
        self.failedByMe = True
        self.onMessage(b" " * max_msg_size, isBinary=False)

    def onPing(self, payload: bytes) -> None:
        if self.flow is None or self.flow.is_free:
            super().onPing(payload)

    def _read_again(self) -> None:
        if self.state == self.STATE_CLOSED:
            return
        if self.application_queue.qsize() > MOST_WAITING_FRAMES // 2:
            asyncio.get_running_loop().call_later(READ_AGAIN_SECONDS, self._read_again)
        else:
            self.unread = False
            self.transport.resumeProducing()


class Request(http_protocol.WebRequest):  # type: ignore[misc]
    def handle_exception(self, exception: BaseException) -> None:
        """Nobody may take a part of an answer for the whole: its connection is reset."""
        if self._response_started and self.channel is not None:
            self.channel.transport.abortConnection()
        else:
            super().handle_exception(exception)


class GracefulServer(Server):  # type: ignore[misc]
    def run(self) -> None:
        collect_rarely()
        WebSocketFactory.protocol = Protocol
        http_protocol.WebRequest = Request
        super().run()

    def kill_all_applications(self) -> "Deferred[Any]":
        """Daphne calls this before its end, and waits for it."""
        drained: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(drain(), loop=twisted_loop))
        return drained.addBoth(lambda _: super(GracefulServer, self).kill_all_applications())

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await self._handle_part(protocol, message)
            return
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.accept":
            protocol.flow = Flow()
            protocol.unregisterProducer()  # that of the HTTP request before the upgrade
            protocol.registerProducer(protocol.flow, True)
        elif message["type"] == "websocket.send":
            await protocol.flow.free()

    async def _handle_part(self, protocol: Any, message: dict[str, Any]) -> None:
        """Of an answer: what follows waits until the client has taken it."""
        is_last, is_open = not message.get("more_body", False), protocol.channel is not None
        if is_open and is_last and protocol.producer is not None:
            protocol.unregisterProducer()
        elif is_open and not is_last and protocol.producer is None:
            protocol.registerProducer(Flow(), True)
        await super().handle_reply(protocol, message)
        if is_open and not is_last:
            await protocol.producer.free()


class GracefulCommandLine(CommandLineInterface):  # type: ignore[misc]
    server_class = GracefulServer


async def drain() -> None:
    """End what the service has begun; nothing to do when another application runs here."""
    if "data_handler.asgi" in sys.modules:
        from data_handler.asgi import bounded_django, ingest_endpoint
        from monitor.clients import close_all

        close_all()
        await asyncio.gather(bounded_django.drain(DRAIN_SECONDS), ingest_endpoint.drain(DRAIN_SECONDS))


def end() -> None:
    """As Python ends, but for its wait for threads: one may be in a view for which there was no more time, or ask for
    an event loop that is gone.
    """
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


if __name__ == "__main__":
    GracefulCommandLine.entrypoint()
    end()
