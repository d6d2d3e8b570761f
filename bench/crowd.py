"""(e) 200 clients: what they cost ingestion, and whether each gets exact counts while 5,000 events a second arrive."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.events import batch_requests
from bench.figures import Figure, Finding, Round, busy, quantile, spread
from bench.load import LoadFailed, until
from bench.paced import Times, send_paced
from bench.sampler import Samples, sampling
from bench.stack import Stack
from bench.watchers import Sight, watching

BATCH = 100
CLIENTS = 200
CONNECTIONS = 8
EVENTS_PER_SECOND = 5000
DIFFERENT_REQUESTS = 500
TARGET = 0.8
WARM_UP_SECONDS = 2.0
WARM_UP_SHARE = 0.25


def measure_crowd(stack: Stack, rounds: int, seconds: float, paced_seconds: float) -> Iterator[Figure | Finding]:
    """A figure, again after every round: events acknowledged with clients, and without. Then a finding."""
    title = f"batches of {BATCH} as fast as they are answered, with {CLIENTS} clients of the live feed"
    figure = Figure("e", title, "events/s", "nobody", TARGET)
    requests = batch_requests(range(DIFFERENT_REQUESTS * BATCH), BATCH, stack.key)
    send_paced(stack.port, requests, CONNECTIONS)
    for _ in range(rounds):
        alone = _unwatched(stack, requests, seconds, None)
        run = _watched(stack, requests, seconds, None)
        figure.rounds.append(Round(run.rate, alone.rate))
        figure.notes = [
            f"requests {spread(run.times.latencies_ms)}; with nobody {spread(alone.times.latencies_ms)}",
            f"{run.traffic}; counts exact: {run.exact}",
            f"CPU: {run.cpu}; with nobody: {alone.cpu}",
        ]
        yield figure
    yield _at_a_rate(stack, requests, paced_seconds)


@dataclass(frozen=True, slots=True)
class _Run:
    times: Times
    warm_up_requests: int
    cpu: str
    sight: Sight | None = None
    memory: Samples | None = None

    @property
    def events(self) -> int:
        """With those of the warm-up."""
        return (self.warm_up_requests + self.times.requests) * BATCH

    @property
    def rate(self) -> float:
        return self.times.requests * BATCH / self.times.seconds

    @property
    def exact(self) -> str:
        return f"{self.sight.exact(self.events)} of {CLIENTS}" if self.sight else ""

    @property
    def traffic(self) -> str:
        return self.sight.traffic if self.sight else ""


def _unwatched(stack: Stack, requests: list[bytes], seconds: float, per_second: float | None) -> _Run:
    stack.clear()
    return _send(stack, requests, seconds, per_second)


def _watched(stack: Stack, requests: list[bytes], seconds: float, per_second: float | None) -> _Run:
    stack.clear()
    with watching(stack.url, stack.key, CLIENTS) as watchers, sampling(stack.web_bytes) as memory:
        run = _send(stack, requests, seconds, per_second)
        sight = watchers.finish(run.events)
    clients = f"{run.cpu}, the clients {sight.cpu_seconds / sight.seconds:.0%}"
    stack.wait_stored(run.events)
    return _Run(run.times, run.warm_up_requests, clients, sight, memory)


def _send(stack: Stack, requests: list[bytes], seconds: float, per_second: float | None) -> _Run:
    """After a warm-up, in which clients are sent the more that new ones may be."""
    warm_up = send_paced(stack.port, until(requests, WARM_UP_SECONDS), CONNECTIONS, per_second)
    before = stack.cpu_seconds()
    times = send_paced(stack.port, until(requests, seconds), CONNECTIONS, per_second)
    if not times.requests:
        raise LoadFailed("No request was sent.")
    cpu = busy(before, stack.cpu_seconds(), times.seconds)
    return _Run(times, warm_up.requests, f"{cpu}, the load {times.cpu_seconds / times.seconds:.0%}")


def _at_a_rate(stack: Stack, requests: list[bytes], seconds: float) -> Finding:
    at_start = stack.web_bytes()
    per_second = EVENTS_PER_SECOND / BATCH
    alone = _unwatched(stack, requests, max(3.0, seconds / 3), per_second)
    run = _watched(stack, requests, seconds, per_second)
    assert run.sight
    assert run.memory
    finding = Finding("e, at a rate", f"{CLIENTS} clients, {EVENTS_PER_SECOND:,} events/s in batches of {BATCH}")
    slower = quantile(run.times.latencies_ms, 0.99) / quantile(alone.times.latencies_ms, 0.99)
    finding.rows = [
        ("counts exact", f"{run.exact} clients, {run.events:,} events"),
        ("accepted", f"{run.rate:,.0f} events/s; with nobody {alone.rate:,.0f}"),
        ("requests", f"{spread(run.times.latencies_ms)}; with nobody {spread(alone.times.latencies_ms)}"),
        ("ratio", f"p99 of the requests is {slower:.1f} times that with nobody"),
        ("sent", run.traffic),
        ("CPU", f"{run.cpu}; with nobody: {alone.cpu}"),
    ]
    finding.target = f"exact counts at each of {CLIENTS} clients"
    finding.reached = run.sight.exact(run.events) == CLIENTS
    _add_memory(finding, at_start, run.memory)
    return finding


def _add_memory(finding: Finding, before: float, memory: Samples) -> None:
    sizes = {
        "before": before,
        "warmed up": memory.at(WARM_UP_SHARE),
        "at the end": memory.at(1.0),
        "at most": memory.most,
    }
    finding.rows.append(("web's memory", ", ".join(f"{size / 1e6:.0f} MB {when}" for when, size in sizes.items())))
    finding.numbers |= {f"web_bytes_{when.replace(' ', '_')}": size for when, size in sizes.items()}
