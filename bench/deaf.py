"""(f) Clients that subscribe and never read, beside one that does."""

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import psutil

from bench.events import batch_requests, make_batches
from bench.figures import Finding, spread
from bench.load import until
from bench.paced import send_paced
from bench.sampler import Samples, sampling
from bench.stack import HOST, Stack
from bench.watchers import watching

CLIENTS = 10
BATCH = 10
EVENTS_PER_SECOND = 1000
EVENT_BYTES = 2000
CONNECTIONS = 4
DIFFERENT_REQUESTS = 100
READ_SECONDS = 10.0
MOST_BYTES_A_CLIENT = 4 << 20
SUB = b'{"op":"sub","id":"deaf"}'
LENGTHS = {126: 2, 127: 8}
CLOSE = 8


def measure_deaf(stack: Stack, seconds: float) -> Iterator[Finding]:
    """`seconds` should exceed the time after which the server ends such a connection."""
    stack.clear()
    padding = EVENT_BYTES - round(make_batches(BATCH, with_ids=False).mean_event_bytes)
    requests = batch_requests(range(DIFFERENT_REQUESTS * BATCH), BATCH, stack.key, padding)
    yield _measure(stack, requests, seconds)


def _measure(stack: Stack, requests: list[bytes], seconds: float) -> Finding:
    with ExitStack() as kept_open:
        watchers = kept_open.enter_context(watching(stack.url, stack.key, 1))
        send_paced(stack.port, requests, CONNECTIONS, EVENTS_PER_SECOND / BATCH)
        deaf = [kept_open.enter_context(subscribe(stack.port, stack.key)) for _ in range(CLIENTS)]
        began_at, ports = time.monotonic(), {client.getsockname()[1] for client in deaf}
        with sampling(stack.web_bytes) as memory, sampling(lambda: _connected(stack, ports)) as connected:
            times = send_paced(stack.port, until(requests, seconds), CONNECTIONS, EVENTS_PER_SECOND / BATCH)
        events = (times.requests + len(requests)) * BATCH
        exact = watchers.finish(events).exact(events)
        ends = Counter(read_on(client) for client in deaf)
    ended_at = connected.reached(0)
    finding = _memory(memory, times.requests * BATCH * EVENT_BYTES)
    finding.rows += [
        ("ended", "not all" if ended_at is None else f"all of them after {ended_at - began_at:.0f} s"),
        ("with", ", ".join(f"{how}: {number}" for how, number in ends.items())),
        ("beside them", f"counts exact: {exact} of 1 client that reads; requests {spread(times.latencies_ms)}"),
    ]
    finding.reached = bool(finding.reached) and ended_at is not None
    return finding


def _memory(memory: Samples, arrived: int) -> Finding:
    before, most, end = memory.taken[0][1], memory.most, memory.taken[-1][1]
    grown = (most - before) / CLIENTS
    title = f"{CLIENTS} clients that do not read, {EVENTS_PER_SECOND:,} events/s of {EVENT_BYTES:,} bytes"
    rows = [
        ("web's memory", f"{before / 1e6:.0f} MB before, {most / 1e6:.0f} MB at most, {end / 1e6:.0f} MB at the end"),
        (
            "ratio",
            f"{grown / arrived:.1%} of the {arrived / 1e6:.0f} MB that came, {grown / 1e6:.1f} MB, for each",
        ),
    ]
    target = f"at most {MOST_BYTES_A_CLIENT >> 20} MiB for each, and all ended"
    numbers = {"web_bytes_before": before, "web_bytes_most": most, "web_bytes_end": end}
    return Finding("f", title, rows, target, grown <= MOST_BYTES_A_CLIENT, numbers)


def subscribe(port: int, key: str) -> socket.socket:
    """A client of the live feed that has said what it wants, and will not listen."""
    client = socket.create_connection((HOST, port), 10)
    client.sendall(
        f"GET /ws/events/ HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {key}\r\n\r\n".encode()
    )
    received = b""
    while b'"hello"' not in received:  # what is sent before the upgrade may be lost
        received += client.recv(1 << 16)
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(SUB))
    client.sendall(bytes([0x81, 0x80 | len(SUB)]) + mask + masked)
    return client


def read_on(client: socket.socket) -> str:
    """How the connection ended, for one that reads at last what is still on its way."""
    received, deadline = bytearray(), time.monotonic() + READ_SECONDS
    try:
        while piece := client.recv(1 << 20):
            received += piece
            if time.monotonic() > deadline:
                return "still open"
    except TimeoutError:
        return "still open"
    except ConnectionResetError:
        return "reset"
    return ending(bytes(received).partition(b"\r\n\r\n")[2])


def ending(frames: bytes) -> str:
    """What the last of these WebSocket frames is, as a server sends them."""
    at = 0
    while at < len(frames):
        head = 2 + LENGTHS.get(frames[at + 1] if at + 1 < len(frames) else 0, 0)
        length = int.from_bytes(frames[at + 2 : at + head]) if head > 2 else int.from_bytes(frames[at + 1 : at + 2])
        if at + head + length > len(frames):
            return "cut off within a frame"
        if frames[at] & 0x0F == CLOSE:
            return f"close {int.from_bytes(frames[at + head : at + head + 2])}"
        at += head + length
    return "no close frame"


def _connected(stack: Stack, ports: set[int]) -> int:
    """How many of these clients the web process still holds."""
    connections = psutil.Process(stack.web_pid()).net_connections("tcp")
    return sum(
        bool(one.raddr) and one.raddr.port in ports and one.status == psutil.CONN_ESTABLISHED for one in connections
    )
