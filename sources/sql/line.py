"""The way to a database, cut when an answer takes too long or nobody wants it: drivers wait for ever."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

LOOK_SECONDS = 0.5


class Line:
    """Nothing to cut at first. `ended`: set when nobody waits any longer."""

    def __init__(self, ended: Event | None = None) -> None:
        self.was_cut = False
        self._ended = ended or Event()
        self._cut: Callable[[], object] | None = None
        self._socket: socket.socket | None = None

    def attach_socket(self, number: int) -> None:
        """A driver's socket, in place of an earlier one. The driver may put TLS around it, and owns it still."""
        self.close()
        self._socket = own = socket.socket(fileno=os.dup(number))
        self.attach(lambda: own.shutdown(socket.SHUT_RDWR))

    def attach(self, cut: Callable[[], object]) -> None:
        """`cut` is called from another thread, and makes the call that waits fail."""
        self._cut = cut
        if self.was_cut:
            self.cut()

    def cut(self) -> None:
        self.was_cut = True
        if self._cut:
            with suppress(OSError):  # it may be closed already
                self._cut()

    def close(self) -> None:
        """Hangs up, too: a driver may have left its socket open."""
        if self._socket:
            with self._socket, suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def limited(self, seconds: float, deadline: float) -> Iterator[None]:
        """Until then what happens inside must be over. `deadline`: on time.monotonic()."""
        answered, until = Event(), min(time.monotonic() + seconds, deadline)
        Thread(target=self._watch, args=(answered, until), name="line", daemon=True).start()
        try:
            yield
        finally:
            answered.set()

    def _watch(self, answered: Event, until: float) -> None:
        while not answered.wait(max(0.0, min(LOOK_SECONDS, until - time.monotonic()))):
            if self._ended.is_set() or time.monotonic() >= until:
                return self.cut()
