"""How much of the feed a process sends, and so what its clients can cost ingestion.

Sending a frame takes Daphne about a quarter of a millisecond whatever is in it, and bytes cost too. So both are
divided among the clients: the more there are, the rarer and the smaller their frames. Counts in them stay exact.
"""

FRAMES_PER_SECOND = 500
SHORTEST_INTERVAL_SECONDS = 0.05
CHARACTERS_PER_SECOND = 8 << 20
SAVED_CHARACTERS = 16 << 20
MOST_SAVED_CHARACTERS = 4 << 20


def interval_seconds(clients: int) -> float:
    """Between two frames of one client."""
    return max(SHORTEST_INTERVAL_SECONDS, clients / FRAMES_PER_SECOND)


class Bucket:
    """A token bucket: a rate per second, of which what is not used is saved up to a limit."""

    def __init__(self, saved: float, now: float) -> None:
        self._saved, self._at = saved, now

    def fill(self, rate: float, most: float, now: float) -> int:
        """What may be spent now. What was spent beyond it is forgotten but for a second's worth."""
        saved = max(self._saved, -rate)
        self._saved, self._at = min(most, saved + rate * (now - self._at)), now
        return max(0, int(self._saved))

    def spend(self, amount: float) -> None:
        self._saved -= amount


class Allowance:
    """The characters of events that one client may be sent."""

    def __init__(self, now: float) -> None:
        self._bucket = Bucket(MOST_SAVED_CHARACTERS, now)

    def characters(self, clients: int, now: float) -> int:
        most = min(MOST_SAVED_CHARACTERS, SAVED_CHARACTERS / max(1, clients))
        return self._bucket.fill(CHARACTERS_PER_SECOND / max(1, clients), most, now)

    def spend(self, characters: int) -> None:
        self._bucket.spend(characters)
