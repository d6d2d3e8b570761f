"""PostgreSQL and two Valkeys out of PyPI wheels: Unix sockets only, all data below one directory."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from data_handler.embedded.home import Home
from data_handler.embedded.postgres import postgres
from data_handler.embedded.run_file import claim
from data_handler.embedded.server import Server
from data_handler.embedded.valkey import broker, buffer

SERVICES = {"postgres": postgres, "buffer": buffer, "broker": broker}


@dataclass(frozen=True)
class Services:
    postgres: Server
    buffer: Server
    broker: Server


@contextmanager
def running(home: Home) -> Iterator[Services]:
    """The three services, answering; stopped cleanly at the end.

    Raises AlreadyRunning when another process runs them, NotStarted when one of them does not come up.
    """
    with claim(home) as run_file, ExitStack() as stack:
        servers = {}
        for name, prepare in SERVICES.items():
            servers[name] = server = Server(name, partial(prepare, home), home.logs, run_file)
            stack.callback(server.stop)
            server.start()
        yield Services(**servers)


def remove(home: Home) -> None:
    """Delete all that these services keep, for good. They must not run."""
    with claim(home):
        for folder in (home.sockets, home.postgres_sockets, home.postgres_refuge):
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home.data_dir)
