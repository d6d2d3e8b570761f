"""What is left of a run's limits, for all of its requests together; nothing is, once it was cancelled."""

import time
from collections.abc import Callable
from threading import Event

from sources.errors import Cancelled, LimitExceeded


class Budget:
    """`deadline`: on `clock`. `most_bytes`: as received, and again after decompression. `ended`: set when it shall."""

    def __init__(
        self,
        deadline: float,
        most_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        ended: Event | None = None,
    ) -> None:
        self.deadline = deadline
        self.most_bytes = most_bytes
        self.received_bytes = 0
        self.decoded_bytes = 0
        self._clock = clock
        self._ended = ended or Event()

    def seconds_left(self) -> float:
        """More than 0. Raises LimitExceeded, Cancelled."""
        if self._ended.is_set():
            raise Cancelled
        seconds = self.deadline - self._clock()
        if seconds <= 0:
            raise LimitExceeded(
                "The run took longer than it may: raise limits.seconds, or let the source ask for less.",
                "too_many_seconds",
            )
        return seconds

    def receive(self, size: int) -> None:
        """Raises LimitExceeded."""
        self.received_bytes += size
        if self.received_bytes > self.most_bytes:
            raise self._too_many("The answers have")

    def decode(self, size: int) -> None:
        """Raises LimitExceeded, Cancelled."""
        self.seconds_left()
        self.decoded_bytes += size
        if self.decoded_bytes > self.most_bytes:
            raise self._too_many("Decompressed, the answers have")

    def _too_many(self, what: str) -> LimitExceeded:
        return LimitExceeded(
            f"{what} more than {self.most_bytes} bytes: raise limits.bytes, or let the source ask for less.",
            "too_many_bytes",
        )
