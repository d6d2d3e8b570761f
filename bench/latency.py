"""(d) From acceptance to the client: 1,000 events a second on a fixed schedule, watched by 20 clients and by one."""

from collections.abc import Iterator
from itertools import chain

from bench.events import batch_requests
from bench.figures import Finding, busy, quantile, spread
from bench.paced import Times, send_paced
from bench.stack import Stack
from bench.watchers import Seen, watching

BATCH = 10
EVENTS_PER_SECOND = 1000
CLIENTS = 20
CONNECTIONS = 4
WARM_UP_SECONDS = 2
MOST_MS = 150.0


def measure_latency(stack: Stack, seconds: float) -> Iterator[Finding]:
    finding = Finding("d", f"latency of the live feed, {EVENTS_PER_SECOND:,} events/s in batches of {BATCH}")
    for clients, share in ((CLIENTS, 1.0), (1, 0.5)):
        _measure(stack, finding, clients, seconds * share)
    many, one = (finding.numbers[f"p99_ms_{clients}_clients"] for clients in (CLIENTS, 1))
    finding.rows.append(("ratio", f"p99 with {CLIENTS} clients is {many / one:.2f} times that with one"))
    finding.target, finding.reached = f"p99 of at most {MOST_MS:g} ms with {CLIENTS} clients", many <= MOST_MS
    yield finding


def _measure(stack: Stack, finding: Finding, clients: int, seconds: float) -> None:
    stack.clear()
    events = int(EVENTS_PER_SECOND * (WARM_UP_SECONDS + seconds))
    requests = batch_requests(range(events), BATCH, stack.key)
    with watching(stack.url, stack.key, clients, events) as watchers:
        before = stack.cpu_seconds()
        times = send_paced(stack.port, requests, CONNECTIONS, EVENTS_PER_SECOND / BATCH)
        after = stack.cpu_seconds()
        sight = watchers.finish(events)
    accepted = list(chain.from_iterable(latencies_ms(times.accepted_at, seen) for seen in sight.clients))
    sent = list(chain.from_iterable(latencies_ms(times.sent_at, seen) for seen in sight.clients))
    finding.rows += [
        (f"{clients} clients", f"accepted to received: {spread(accepted)}"),
        ("", f"sent to received: {spread(sent)}"),
        ("", f"counts exact: {sight.exact(events)} of {clients}; {sight.traffic}"),
        ("", f"requests: {_requests(times)}"),
        ("", f"CPU: {busy(before, after, times.seconds)}, {_own(times, sight.cpu_seconds / sight.seconds)}"),
    ]
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (1.0, "max")):
        finding.numbers[f"{name}_ms_{clients}_clients"] = quantile(accepted, share)


def latencies_ms(since: list[float], seen: Seen) -> list[float]:
    """Of the events that were shown, after the warm-up: `since` holds a time for each request of BATCH."""
    start = WARM_UP_SECONDS * EVENTS_PER_SECOND
    arrived = enumerate(seen.received_at[start:], start)
    return [(received_at - since[number // BATCH]) * 1000 for number, received_at in arrived if received_at]


def _requests(times: Times) -> str:
    return f"{spread(times.latencies_ms)}, from when each was due"


def _own(times: Times, clients: float) -> str:
    return f"beside it the load {times.cpu_seconds / times.seconds:.0%}, the clients {clients:.0%}"
