"""Looking at a number from time to time while something else goes on."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

INTERVAL_SECONDS = 0.5


@dataclass(slots=True)
class Samples:
    """`taken`: (monotonic time, number), oldest first; one at least."""

    taken: list[tuple[float, float]] = field(default_factory=list)

    @property
    def most(self) -> float:
        return max(number for _, number in self.taken)

    def at(self, share: float) -> float:
        """The newest number when so much of the time was over."""
        (start, _), (end, _) = self.taken[0], self.taken[-1]
        return next(number for at, number in reversed(self.taken) if at <= start + share * (end - start))

    def reached(self, number: float) -> float | None:
        """When the number was that low first."""
        return next((at for at, sampled in self.taken if sampled <= number), None)


@contextmanager
def sampling(look: Callable[[], float], interval_seconds: float = INTERVAL_SECONDS) -> Iterator[Samples]:
    """Look now, at the end, and from time to time between."""
    samples, ended = Samples(), threading.Event()

    def sample() -> None:
        samples.taken.append((time.monotonic(), look()))

    def sample_on() -> None:
        while not ended.wait(interval_seconds):
            sample()

    sample()
    thread = threading.Thread(target=sample_on, name="sampler")
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
        sample()
