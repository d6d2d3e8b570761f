"""(a) Batches of events, from HTTP to committed rows, against a bare COPY of the same rows into the same table."""

import time
from collections.abc import Iterator

from bench.events import BATCH, STREAM, Batches, blocks_of, make_batches
from bench.figures import Figure, Round, per_event
from bench.load import send_all
from bench.stack import Stack
from ingest.rows import COLUMNS

CONNECTIONS = 8
TARGET = 0.5
COPY = f"COPY event ({', '.join(COLUMNS)}) FROM STDIN"


def measure_batches(stack: Stack, rounds: int, events: int) -> Iterator[Figure]:
    """Two figures, each again after every round: without and with an idempotency key in every event."""
    plain = Figure("a", "", "events/s", "bare COPY", TARGET)
    keyed = Figure("a, keys", "", "events/s", "bare COPY")
    runs = [(plain, _Run(stack, events, with_ids=False)), (keyed, _Run(stack, events, with_ids=True))]
    plain.title = f"batches of {BATCH}, {runs[0][1].mean_event_bytes:.0f} bytes an event"
    keyed.title = f"the same with idempotency keys, {runs[1][1].mean_event_bytes:.0f} bytes"
    for _ in range(rounds):
        for figure, run in runs:
            other = run.copy()
            figure.rounds.append(Round(run.sender.send(), other))
            figure.notes = run.sender.notes
            yield figure


class Sender:
    """Sends the same batches again and again. `notes`: of the last time, what goes with the rate."""

    def __init__(self, stack: Stack, batches: Batches) -> None:
        self._stack = stack
        self._events = batches.events
        self._requests = batches.requests(stack.key)
        self.notes: list[str] = []

    def make_stream(self) -> None:
        send_all(self._stack.port, self._requests[:1], 1)

    def send(self) -> float:
        """Events a second from the first request to the last commit."""
        self._stack.clear()
        before = self._stack.cpu_seconds()
        load = send_all(self._stack.port, self._requests, CONNECTIONS)
        seconds = self._stack.wait_stored(self._events) - load.started_at
        self._stack.wait_quiet()
        self.notes = [
            f"CPU µs an event: {per_event(before, self._stack.cpu_seconds(), self._events)}",
            f"accepted at {self._events / load.seconds:,.0f} events/s;"
            f" the load itself took {load.cpu_microseconds_per_request:.0f} µs of CPU a request of {BATCH} events",
        ]
        return self._events / seconds


class _Run:
    """One kind of events, prepared once: as requests and as rows."""

    def __init__(self, stack: Stack, events: int, with_ids: bool) -> None:
        batches = make_batches(events, with_ids)
        self.mean_event_bytes = batches.mean_event_bytes
        self.sender = Sender(stack, batches)
        self.sender.make_stream()
        self._stack = stack
        self._events = events
        self._blocks = list(blocks_of(batches.copy_blocks(_stream_id(stack))))

    def copy(self) -> float:
        """Rows a second of one COPY in one transaction."""
        self._stack.clear()
        started_at = time.monotonic()
        with self._stack.database.cursor() as cursor, cursor.copy(COPY) as copy:
            for block in self._blocks:
                copy.write(block)
        return self._events / (time.monotonic() - started_at)


def _stream_id(stack: Stack) -> int:
    row = stack.database.execute("SELECT id FROM stream WHERE name = %s", [STREAM]).fetchone()
    assert row is not None
    return int(row[0])
