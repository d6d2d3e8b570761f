"""Lines of many processes on one stream: `name | line`, in colour where somebody looks at it."""

import os
import threading
from contextlib import suppress
from typing import TextIO

COLOURS = (36, 33, 32, 35, 34, 31)


class Console:
    """Safe to use from several threads."""

    def __init__(self, stream: TextIO, width: int = 8) -> None:
        self._stream = stream
        self._width = width
        self._coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{self._width}} | "
        if self._coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        self.say(f"{prefix}{text}")

    def say(self, text: str) -> None:
        # A closed terminal or pipe must not end the reading of what the processes write: they would block.
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(f"{text}\n")
            self._stream.flush()
