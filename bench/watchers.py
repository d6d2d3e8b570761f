"""Clients of the live feed, in a process of their own. They hold the server to every rule of the protocol."""

import asyncio
import multiprocessing
import signal
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import msgspec
import uvloop

from bench.load import LoadFailed
from monitor.client import ClientError, Events, Feed, Gap, Phase, State, Stats

CONNECT_SECONDS = 60.0
SETTLE_SECONDS = 30.0
STOP_SECONDS = 10.0


class _Payload(msgspec.Struct):
    reading: int


class _Event(msgspec.Struct):
    payload: _Payload


_event = msgspec.json.Decoder(_Event)


@dataclass(slots=True)
class Seen:
    """By one client.

    `heard`: numbers in frames; `missing`: in gaps. `lost`: connections. `received_at`: the monotonic time by the
    event's `reading`, 0 for one that was not shown.
    """

    heard: int = 0
    missing: int = 0
    shown: int = 0
    frames: int = 0
    event_bytes: int = 0
    lost: int = 0
    received_at: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass(frozen=True, slots=True)
class Sight:
    """By all clients; `seconds` from when all were connected until they were asked, `cpu_seconds` of their process."""

    clients: list[Seen]
    seconds: float
    cpu_seconds: float

    def exact(self, events: int) -> int:
        """Clients that heard of so many events, over one connection, without a gap."""
        return sum((seen.heard, seen.missing, seen.lost) == (events, 0, 0) for seen in self.clients)

    @property
    def shown(self) -> float:
        """The share of the events that a client was shown in full, on the mean."""
        return sum(seen.shown for seen in self.clients) / max(1, sum(seen.heard for seen in self.clients))

    @property
    def traffic(self) -> str:
        frames = sum(seen.frames for seen in self.clients) / self.seconds
        megabytes = sum(seen.event_bytes for seen in self.clients) / self.seconds / 1e6
        return f"{frames:,.0f} frames/s, {megabytes:.1f} MB/s of events, {self.shown:.1%} of the events shown"


class Watchers:
    """In the parent process."""

    def __init__(self, pipe: "Connection") -> None:
        self._pipe = pipe

    def finish(self, events: int) -> Sight:
        """Once all have heard of so many events, or have had time enough. Raises LoadFailed."""
        self._pipe.send(events)
        return self._receive(SETTLE_SECONDS + STOP_SECONDS)

    def wait_ready(self) -> None:
        self._receive(CONNECT_SECONDS + STOP_SECONDS)

    def _receive(self, seconds: float) -> Sight:
        if not self._pipe.poll(seconds):
            raise LoadFailed("The process of the clients does not answer.")
        received = self._pipe.recv()
        if isinstance(received, str):
            raise LoadFailed(received)
        assert isinstance(received, Sight)
        return received


@contextmanager
def watching(url: str, key: str, clients: int, numbers: int = 0) -> Iterator[Watchers]:
    """That many clients, connected; told how many numbers `reading` takes, they note when each came."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, url, key, clients, numbers), daemon=True)
    process.start()
    try:
        watchers = Watchers(ours)
        watchers.wait_ready()
        yield watchers
    finally:
        process.terminate()
        process.join(STOP_SECONDS)
        process.close()


def _main(pipe: "Connection", url: str, key: str, clients: int, numbers: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_watch(pipe, [_Client(url, key, numbers) for _ in range(clients)]))
    except* (ClientError, TimeoutError) as group:
        first = group.exceptions[0]
        pipe.send(f"A client of the live feed gave up: {str(first) or 'not all were connected in time'}")


async def _watch(pipe: "Connection", clients: "list[_Client]") -> None:
    async with asyncio.TaskGroup() as group:
        following = [group.create_task(client.follow()) for client in clients]
        await _until(lambda: all(client.live for client in clients), CONNECT_SECONDS)
        began_at, cpu = time.monotonic(), time.process_time()
        pipe.send(Sight([], 0.0, 0.0))
        events = await asyncio.to_thread(pipe.recv)
        seconds, cpu_seconds = time.monotonic() - began_at, time.process_time() - cpu
        with suppress(TimeoutError):  # what is missing shows in the counts
            await _until(lambda: all(client.position >= events for client in clients), SETTLE_SECONDS)
        pipe.send(Sight([client.result() for client in clients], seconds, cpu_seconds))
        for task in following:
            task.cancel()


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class _Client:
    def __init__(self, url: str, key: str, numbers: int) -> None:
        self._feed = Feed(url, key, on_state=self._enter)
        self._seen = Seen(received_at=array("d", bytes(8 * numbers)))
        self.live = False

    @property
    def position(self) -> int:
        coverage = self._feed.coverage
        return coverage.covered + sum(coverage.missing.values())

    def result(self) -> Seen:
        coverage = self._feed.coverage
        self._seen.heard, self._seen.shown = coverage.covered, coverage.shown
        self._seen.missing = sum(coverage.missing.values()) + coverage.renumbered
        return self._seen

    async def follow(self) -> None:
        async with aclosing(self._feed.frames()) as frames:
            async for frame in frames:
                self._note(frame, time.monotonic())

    def _note(self, frame: Events | Gap | Stats, now: float) -> None:
        if not isinstance(frame, Events):
            return
        self._seen.frames += 1
        for event in frame.events:
            text = memoryview(event)
            self._seen.event_bytes += text.nbytes
            if self._seen.received_at:
                self._seen.received_at[_event.decode(text).payload.reading] = now

    def _enter(self, state: State) -> None:
        self.live = self.live or state.phase is Phase.LIVE
        self._seen.lost += state.phase is Phase.WAITING
