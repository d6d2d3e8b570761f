"""Following the feed in a terminal."""

import asyncio
import time
from collections import deque
from contextlib import aclosing

import msgspec

from monitor.client import Coverage, Events, Feed, Gap, Phase, Position, State
from monitor.terminal.lines import HumanLines, JsonLines
from monitor.terminal.screen import Screen
from monitor.terminal.text import printable

STATUS_SECONDS = 0.25
RATE_SECONDS = 5.0


class Tail:
    """`limit`: how many events to show; None for no end."""

    def __init__(self, screen: Screen, lines: HumanLines | JsonLines, limit: int | None = None) -> None:
        self._screen, self._lines = screen, lines
        self._left = limit
        self._printed = 0
        self._position: Position | None = None
        self._coverage = Coverage()
        self._samples: deque[tuple[float, int]] = deque()
        self._waited = False

    async def follow(self, feed: Feed) -> None:
        """Until the limit is reached. Raises monitor.client.ClientError, and BrokenPipeError when nobody reads."""
        self._coverage, self._position = feed.coverage, feed.coverage.position
        status = asyncio.create_task(self._show_status(feed))
        try:
            async with aclosing(feed.frames()) as frames:
                async for frame in frames:
                    if isinstance(frame, Events | Gap) and self._show(frame):
                        return
        finally:
            status.cancel()
            await asyncio.wait([status])

    def on_state(self, state: State) -> None:
        """Where there is no status line, say when the feed is lost, and when it is back."""
        if self._screen.has_status or state.phase is Phase.CONNECTING:
            return
        waits = state.phase is Phase.WAITING
        if waits or self._waited:
            self._screen.note(printable(f"tail: {state}"))
        self._waited = waits

    def summary(self) -> str:
        end = f"; to go on: --since {printable(str(self._position))}" if self._position else ""
        return f"{self._counts()}{end}"

    def _show(self, frame: Events | Gap) -> bool:
        """Whether that was all."""
        if isinstance(frame, Events) and self._left is not None and len(frame.events) >= self._left:
            whole = len(frame.events) == self._left
            self._write(msgspec.structs.replace(frame, events=frame.events[: self._left]))
            self._position = Position(frame.epoch, frame.last) if whole else self._position
            return True
        self._write(frame)
        self._position = self._coverage.position
        return False

    def _write(self, frame: Events | Gap) -> None:
        if lines := list(self._lines.lines(frame, self._screen.width)):
            self._screen.write(lines)
        if isinstance(frame, Events):
            self._printed += len(frame.events)
            self._left = None if self._left is None else self._left - len(frame.events)

    async def _show_status(self, feed: Feed) -> None:
        while True:
            rate = self._rate(time.monotonic())
            behind = f", {self._coverage.behind:,} to come" if self._coverage.behind else ""
            phase, _, reason = printable(str(feed.state)).partition(": ")
            self._screen.status(f" {phase}  {rate:,.0f} events/s  {self._counts()}{behind}  {reason}")
            await asyncio.sleep(STATUS_SECONDS)

    def _rate(self, now: float) -> float:
        """Matching events a second of the last while."""
        self._samples.append((now, self._coverage.matched))
        while self._samples[0][0] < now - RATE_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        return (self._coverage.matched - before) / (now - since) if now > since else 0.0

    def _counts(self) -> str:
        coverage = self._coverage
        counts = [f"{self._printed:,} shown", f"{coverage.omitted:,} omitted"]
        if coverage.unchecked:
            counts.append(f"{coverage.unchecked:,} unchecked")
        counts.append(_missing(coverage))
        return ", ".join(counts)


def _missing(coverage: Coverage) -> str:
    reasons = ", ".join(f"{printable(reason)} {number:,}" for reason, number in sorted(coverage.missing.items()))
    known = f"{coverage.missing.total():,} missing" + (f" ({reasons})" if reasons else "")
    return f"{known}, renumbered {coverage.renumbered}×" if coverage.renumbered else known
