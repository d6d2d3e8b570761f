"""Pauses between attempts to connect, as docs/live-feed.md asks for."""

import random
from collections.abc import Callable

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
LONGEST_ASKED_SECONDS = 300.0


class Backoff:
    """`factor` gives a random number between 0.5 and 1."""

    def __init__(self, factor: Callable[[], float] = lambda: random.uniform(0.5, 1.0)) -> None:
        self._factor = factor
        self.reset()

    def reset(self) -> None:
        self._seconds = FIRST_SECONDS

    def pause_seconds(self, asked_seconds: float = 0.0) -> float:
        """The next pause; not shorter than what the server asked for, within reason."""
        seconds, self._seconds = self._seconds, min(2 * self._seconds, LONGEST_SECONDS)
        return max(seconds * self._factor(), min(asked_seconds, LONGEST_ASKED_SECONDS))
