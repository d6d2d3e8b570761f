"""(n) All events as a file over HTTP, against a bare COPY of the same events to standard output."""

import time
from collections.abc import Callable, Iterator
from functools import partial

from bench.aggregating import PROGRAM
from bench.asking import asking
from bench.events import STREAM
from bench.figures import Figure, Finding, Round
from bench.sampler import sampling
from bench.stack import Stack, StackFailed, in_service

PATH = f"/api/streams/{STREAM}/events/export/"
TARGETS = {"ndjson": 0.4, "csv": None, "parquet": None}
MOST_GROWTH = 1.1
MB = 1_000_000
COPY = "COPY (SELECT id, received_at, time, stream_id, key, type, payload FROM event) TO STDOUT"


def measure_exports(stack: Stack, rounds: int, events: int) -> Iterator[Figure | Finding]:
    """Figures of the formats, each again after every round; then what it did to the web process."""
    figures = {
        format: Figure(f"n, {format}", f"export of {events:,} events as {format}", "events/s", "bare COPY", target)
        for format, target in TARGETS.items()
    }
    memory = Finding("n, memory", "memory of the web process meanwhile", target=f"≤ {MOST_GROWTH:g} times a quarter")
    stack.clear()
    span = in_service(stack, PROGRAM, "events", str(events))
    shares = []
    with asking(stack.port, stack.key) as asker:
        for format in TARGETS:  # what is loaded with the first file is no growth
            asker.get(PATH, format=format, fields="id", key="none", **span)
        for _ in range(rounds):
            for format, figure in figures.items():
                bare = events / _seconds(partial(_copied, stack), events)
                with sampling(stack.web_bytes) as samples:
                    took = _seconds(partial(asker.pieces, PATH, format=format, **span), None)
                shares.append(samples.most / samples.at(0.25))
                figure.rounds.append(Round(events / took, bare))
                figure.notes = [
                    f"web {samples.at(0.25) / MB:.0f} MB after a quarter, at most {samples.most / MB:.0f} MB"
                ]
                yield figure
    memory.rows = [("most, over after a quarter", f"{max(shares):.2f} in {len(shares)} exports")]
    memory.reached, memory.numbers = max(shares) <= MOST_GROWTH, {"growth": max(shares)}
    stack.clear()
    yield memory


def _copied(stack: Stack) -> Iterator[bytes]:
    with stack.database.cursor().copy(COPY) as copy:
        for block in copy:
            yield bytes(block)


def _seconds(read: Callable[[], Iterator[bytes]], lines: int | None) -> float:
    """Until all was read, which has so many lines."""
    began, found = time.perf_counter(), 0
    for piece in read():
        found += piece.count(b"\n") if lines is not None else 0
    seconds = time.perf_counter() - began
    if lines is not None and found != lines:
        raise StackFailed(f"{found} events were read, and {lines} are stored.")
    return seconds
