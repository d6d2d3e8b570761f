"""What a client that acknowledges frames has still to acknowledge."""

import math
from collections import deque

UNACKNOWLEDGED_BYTES = 1 << 20
UNACKNOWLEDGED_SECONDS = 4.0
SLOW_CLOSE_SECONDS = 30.0


class Acknowledgements:
    """Asks nothing of a client before its first acknowledgement: until then, it is judged by its connection alone."""

    def __init__(self) -> None:
        self._asked = False
        self._frames: deque[tuple[int, int, float]] = deque()
        self._bytes = 0

    def sent(self, last: int, size: int, now: float) -> None:
        """A frame that covers numbers up to `last`, of so many bytes."""
        if self._asked:
            self._frames.append((last, size, now))
            self._bytes += size

    def acknowledge(self, seq: int) -> None:
        """All frames up to the newest that ends at `seq` or before; numbers of a past epoch do no harm."""
        self._asked = True
        covered = [place for place, (last, _, _) in enumerate(self._frames) if last <= seq]
        for _ in range(covered[-1] + 1 if covered else 0):
            self._bytes -= self._frames.popleft()[1]

    def late_seconds(self, now: float) -> float:
        """The age of the oldest frame that is not acknowledged."""
        return now - self._frames[0][2] if self._frames else 0.0

    def behind(self, now: float) -> bool:
        return self._bytes > UNACKNOWLEDGED_BYTES or self.late_seconds(now) >= UNACKNOWLEDGED_SECONDS

    def judged_at(self, behind: bool) -> float:
        """When there is something to be said of this client, if it stays silent."""
        if not self._frames:
            return math.inf
        return self._frames[0][2] + (SLOW_CLOSE_SECONDS if behind else UNACKNOWLEDGED_SECONDS)
