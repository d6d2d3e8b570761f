"""The figures of a service over the last half minute, from its `stats` frames."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from monitor.client import Stats

KEPT_REPORTS = 30
GROWTH_REPORTS = 10
OLD_SECONDS = 10.0

Name = str | None


class Histories:
    """Events a second by name, newest last; who was quiet all the time is forgotten."""

    def __init__(self) -> None:
        self._rates: dict[Name, deque[float]] = {}

    def add(self, rates: Mapping[Name, float]) -> None:
        for name in {*self._rates, *rates}:
            self._rates.setdefault(name, deque(maxlen=KEPT_REPORTS)).append(rates.get(name, 0.0))
        self._rates = {name: history for name, history in self._rates.items() if any(history)}

    def __getitem__(self, name: Name) -> list[float]:
        return list(self._rates.get(name, ()))

    def __iter__(self) -> Iterator[Name]:
        return iter(self._rates)


class Figures:
    """Everything that `top` shows."""

    def __init__(self) -> None:
        self.latest: Stats | None = None
        self.streams = Histories()
        self.types = Histories()
        self.received: deque[float] = deque(maxlen=KEPT_REPORTS)
        self._waiting: deque[int] = deque(maxlen=GROWTH_REPORTS)
        self._told_totals = False

    def take(self, stats: Stats) -> None:
        seconds = stats.interval_seconds or 1.0
        self.latest = stats
        self.received.append(stats.received.n / seconds)
        self.streams.add({line.stream: line.n / seconds for line in stats.by_stream})
        self.types.add({line.type: line.n / seconds for line in stats.by_type})
        if stats.buffered is not None:
            self._waiting.append(stats.buffered.events)
            self._told_totals = True

    def warnings(self) -> Iterator[str]:
        if self.latest is None:
            return
        if self.latest.buffered is None:
            yield self._without_totals(self.latest)
            return
        if self._grows():
            yield (
                f"The buffer grows: {self._waiting[0]:,} events waited to be stored, now {self._waiting[-1]:,}."
                " Are the flush workers running, and is the database fast enough?"
            )
        age = self.latest.buffered.oldest_age_seconds
        if age is not None and age >= OLD_SECONDS:
            yield (
                f"The oldest buffered event waits for {age:,.0f} s: see /health/ready. Do the database, the broker,"
                " beat and the flush workers run?"
            )

    def _without_totals(self, stats: Stats) -> str:
        if self._told_totals or stats.received.total is not None:
            return "The database or the buffer does not answer: totals are not known. See /health/ready."
        return "No totals: this key is for some streams only, or the database or the buffer does not answer."

    def _grows(self) -> bool:
        """Every report of the later half is above every one of the earlier: no sawtooth of flushes does that."""
        waiting, half = list(self._waiting), GROWTH_REPORTS // 2
        return len(waiting) == GROWTH_REPORTS and min(waiting[half:]) > max(waiting[:half])


def sparkline(rates: Iterable[float], peak: float) -> str:
    """A character a value, of `peak` at the most; nothing is a space."""
    bars = "▁▂▃▄▅▆▇█"
    return "".join(bars[min(int(rate / peak * len(bars)), len(bars) - 1)] if rate > 0 else " " for rate in rates)
