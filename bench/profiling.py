"""(l) The profile of millions of stored events: the whole of it, by the service's worker, from asking until its end.

Against a bare COPY of the same events to standard output, and DuckDB's own SUMMARIZE over the Parquet files that the
snapshot made of them, one after the other.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil

from bench import stored
from bench.figures import Figure, Finding, Round
from bench.sampler import sampling
from bench.stack import Stack, StackFailed, in_service

PROGRAM = "from bench.analysis_steps import main; main()"
QUEUE = "analyses"
ROUNDS = 2
TARGET = 0.5
MOST_BYTES = 1_000_000_000
SAMPLE_SECONDS = 0.05
GB = 1e9


def measure_profile(stack: Stack, events: int) -> Iterator[Figure | Finding]:
    """The rate of all rounds, and the most memory of any."""
    figure = Figure("l", f"profile of {events:,} stored events", "events/s", "COPY, then SUMMARIZE", TARGET)
    memory = Finding("l, memory", "of the worker's processes, while they make the profile", target="< 1 GB")
    stored.fill(stack, events)
    for _ in range(ROUNDS):
        copy = _copy(stack)
        with sampling(lambda: _worker_bytes(stack), SAMPLE_SECONDS) as samples:
            found = in_service(stack, PROGRAM, "analyse", "profile", stored.STREAM)
        if found["rows"] != events:
            raise StackFailed(f"The profile is of {found['rows']} events, not {events}.")
        summarize = in_service(stack, PROGRAM, "summarize", found["folder"])["seconds"]
        figure.rounds.append(Round(events / found["seconds"], events / (copy + summarize)))
        figure.notes = [_note(found, copy, summarize)]
        most = max(samples.most, memory.numbers.get("peak_bytes", 0.0))
        memory.rows = [("at most", f"{most / GB:.2f} GB, {samples.taken[0][1] / GB:.2f} before")]
        memory.numbers, memory.reached = {"peak_bytes": most}, most < MOST_BYTES
    yield figure
    yield memory
    stack.clear()


def _note(found: dict[str, Any], copy: float, summarize: float) -> str:
    profile = found["seconds"] - found["snapshot"]
    return (
        f"{found['seconds']:.1f} s: snapshot {found['snapshot']:.1f}, profile {profile:.1f};"
        f" COPY {copy:.1f}, SUMMARIZE {summarize:.1f}"
    )


def _copy(stack: Stack) -> float:
    began = time.perf_counter()
    with stack.database.cursor() as cursor, cursor.copy("COPY (SELECT * FROM event) TO STDOUT") as copy:
        for _ in copy:
            pass
    return time.perf_counter() - began


def _worker_bytes(stack: Stack) -> float:
    """Of all processes of the analyses' worker together, and all that they started."""
    total = 0
    leader = psutil.Process(stack.pid(QUEUE))
    for process in (leader, *leader.children(recursive=True)):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return float(total)
