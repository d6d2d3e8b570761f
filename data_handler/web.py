"""Daphne, ending with grace: `python -m data_handler.web -b HOST -p PORT data_handler.asgi:application`.

At SIGTERM it takes no more events (503, `Retry-After`), asks those who watch to come back, and answers what is under
way.
"""

import asyncio
import sys
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.server import Server, twisted_loop
from twisted.internet.defer import Deferred

from data_handler.garbage import collect_rarely

DRAIN_SECONDS = 5.0


class DrainingServer(Server):  # type: ignore[misc]
    def run(self) -> None:
        collect_rarely()
        super().run()

    def kill_all_applications(self) -> "Deferred[Any]":
        """Daphne calls this before its end, and waits for it."""
        drained: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(drain(), loop=twisted_loop))
        return drained.addBoth(lambda _: super(DrainingServer, self).kill_all_applications())


class DrainingCommandLine(CommandLineInterface):  # type: ignore[misc]
    server_class = DrainingServer


async def drain() -> None:
    """End what the service has begun; nothing to do when another application runs here."""
    if "data_handler.asgi" in sys.modules:
        from data_handler.asgi import ingest_endpoint
        from monitor.consumers import close_all

        close_all()
        await ingest_endpoint.drain(DRAIN_SECONDS)


if __name__ == "__main__":
    DrainingCommandLine.entrypoint()
