"""A sign of life, on a thread and a database connection of its own: the run itself may be in a long transaction."""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection

from sources import runs
from sources.models import Run

INTERVAL_SECONDS = 2.0


class Pulse:
    """While it is entered, the run's heartbeat and progress are written. `ended` is set when the run shall end."""

    def __init__(self, run: Run, progress: Callable[[], Mapping[str, Any]]) -> None:
        self._run, self._progress = run, progress
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
            while not self._stopped.wait(INTERVAL_SECONDS):
                try:
                    if not runs.beat(self._run, self._progress()):
                        self.ended.set()
                except DatabaseError:
                    connection.close()  # a new one the next time
        finally:
            connection.close()
