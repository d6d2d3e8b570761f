"""Daphne, with what it lacks: `python -m data_handler.web -b HOST -p PORT data_handler.asgi:application`.

It ends with grace: at SIGTERM it takes no more events (503, `Retry-After`), asks those who watch to come back, and
answers what is under way. And `send` to a WebSocket waits while the client's connection takes no more, where Daphne
would pile up frames in memory.
"""

import asyncio
import sys
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.server import Server, twisted_loop
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from data_handler.garbage import collect_rarely

DRAIN_SECONDS = 5.0


@implementer(IPushProducer)
class Flow:
    """What Twisted tells of a connection: whether its buffer, of 64 KiB, is full."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    async def free(self) -> None:
        await self._free.wait()

    def pauseProducing(self) -> None:
        self._free.clear()

    def resumeProducing(self) -> None:
        self._free.set()

    def stopProducing(self) -> None:
        """The connection is gone; nobody waits for it any more."""
        self._free.set()


class GracefulServer(Server):  # type: ignore[misc]
    def run(self) -> None:
        collect_rarely()
        super().run()

    def kill_all_applications(self) -> "Deferred[Any]":
        """Daphne calls this before its end, and waits for it."""
        drained: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(drain(), loop=twisted_loop))
        return drained.addBoth(lambda _: super(GracefulServer, self).kill_all_applications())

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.accept":
            protocol.flow = Flow()
            protocol.unregisterProducer()  # that of the HTTP request before the upgrade
            protocol.registerProducer(protocol.flow, True)
        elif message["type"] == "websocket.send":
            await protocol.flow.free()


class GracefulCommandLine(CommandLineInterface):  # type: ignore[misc]
    server_class = GracefulServer


async def drain() -> None:
    """End what the service has begun; nothing to do when another application runs here."""
    if "data_handler.asgi" in sys.modules:
        from data_handler.asgi import ingest_endpoint
        from monitor.clients import close_all

        close_all()
        await ingest_endpoint.drain(DRAIN_SECONDS)


if __name__ == "__main__":
    GracefulCommandLine.entrypoint()
