import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from data_handler.embedded.server import Server


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """The server takes connections and answers nothing, until the end."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)
