"""A sign of life, on a thread and a database connection of its own: the work itself may be in a long transaction."""

import threading
from collections.abc import Callable
from types import TracebackType

from django.db import Error as DatabaseError
from django.db import connection

INTERVAL_SECONDS = 2.0


class Pulse:
    """While it is entered, `beat` is called again and again. `ended` is set when that says that the work shall end."""

    def __init__(self, beat: Callable[[], bool], interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._call, self._interval_seconds = beat, interval_seconds
        self.ended = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._stopped.wait(self._interval_seconds):
                try:
                    if not self._call():
                        self.ended.set()
                except DatabaseError:
                    connection.close()  # a new one the next time
        finally:
            connection.close()
