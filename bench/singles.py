"""(b) Single events, against an application under the same Daphne that only answers; (c) against the naive way."""

import subprocess
import sys
from collections.abc import Iterator

from bench.batches import Sender
from bench.events import make_batches, single_requests
from bench.figures import Figure, Round, per_event
from bench.load import Load, LoadFailed, send_for
from bench.stack import PROJECT, Stack, StackFailed, cpu_seconds

CONNECTIONS = 64
TARGET = 0.6
DIFFERENT_REQUESTS = 2000
WARM_UP_SECONDS = 1.0
NAIVE_SETTINGS = "bench.naive.settings"


def measure_singles(stack: Stack, rounds: int, seconds: float) -> Iterator[Figure]:
    """One figure, again after every round."""
    figure = Figure("b", f"single events, {CONNECTIONS} connections", "requests/s", "bare ASGI", TARGET)
    requests = single_requests(DIFFERENT_REQUESTS, stack.key)
    with stack.server("bench.bare:application") as bare:
        _warm_up(requests, bare.port, stack.port)
        for _ in range(rounds):
            stack.clear()
            bare_before = cpu_seconds(bare.pid)
            other = send_for(bare.port, requests, CONNECTIONS, seconds)
            bare_cpu = (cpu_seconds(bare.pid) - bare_before) / other.requests * 1e6
            before = stack.cpu_seconds()
            ours = _send(stack, requests, seconds)
            _check_equal_answers(ours, other)
            figure.rounds.append(Round(ours.per_second, other.per_second))
            figure.notes = [
                f"CPU µs an event: {per_event(before, stack.cpu_seconds(), ours.requests)}; bare ASGI {bare_cpu:.1f}",
                f"the load itself took {ours.cpu_microseconds_per_request:.0f} µs of CPU a request",
            ]
            yield figure


def measure_naive(stack: Stack, rounds: int, seconds: float, events: int) -> Iterator[Figure]:
    """Two figures, each again after every round: our single events, our batches, over the naive way."""
    single = Figure("c, single", "single events against one row for each request", "requests/s", "naive DRF")
    batch = Figure("c, batch", "events in batches against the same", "events/s", "naive DRF")
    requests = single_requests(DIFFERENT_REQUESTS, stack.key)
    sender = Sender(stack, make_batches(events, with_ids=False))
    _make_naive_table(stack)
    with stack.server("bench.naive.asgi:application", NAIVE_SETTINGS) as naive:
        _warm_up(requests, naive.port, stack.port)
        for _ in range(rounds):
            stack.clear()
            load = send_for(naive.port, requests, CONNECTIONS, seconds)
            single.rounds.append(Round(_send(stack, requests, seconds).per_second, load.per_second))
            yield single
            batch.rounds.append(Round(sender.send(), load.per_second))
            yield batch
    _check_naive_table(stack)


def _warm_up(requests: list[bytes], *ports: int) -> None:
    for port in ports:
        send_for(port, requests, CONNECTIONS, WARM_UP_SECONDS)


def _send(stack: Stack, requests: list[bytes], seconds: float) -> Load:
    """Send to the service and see that all of it is stored."""
    stack.clear()
    load = send_for(stack.port, requests, CONNECTIONS, seconds)
    stack.wait_stored(load.requests)
    stack.wait_quiet()
    return load


def _check_equal_answers(ours: Load, other: Load) -> None:
    lengths = {load.answer_bytes / load.requests for load in (ours, other)}
    if len(lengths) > 1:
        raise LoadFailed(f"The answers compared are not of one length: {sorted(lengths)} bytes.")


def _make_naive_table(stack: Stack) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
    env = {**stack.env, "DJANGO_SETTINGS_MODULE": NAIVE_SETTINGS, "BENCH_DATABASE_URL": stack.home.database_url}
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True)
    if done.returncode:
        raise StackFailed(f"The table of the naive way cannot be made:\n{done.stderr}")


def _check_naive_table(stack: Stack) -> None:
    row = stack.database.execute("SELECT count(*) FROM naive_reading").fetchone()
    if not row or not row[0]:
        raise StackFailed("The naive way answered 202 and stored nothing.")
