"""A client of Data Handler: sends events, watches them come back, waits until they are stored, and compares.

    python demo.py                                            a service started with `make run`
    python demo.py --url https://events.example --key dh_…    another one
    python demo.py --events 0 --batch-events 1000000          only batches

Ends with 0 when every event sent was acknowledged, broadcast and stored and none is a dead letter, else with 1,
saying what was off. A request that gets no answer, 503 or 429 is sent again for up to a minute: every event has an
`id`, so the service stores it once however often it comes.
"""

import argparse
import asyncio
import os
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from monitor.client import ClientError, Event, Events, Feed, Gap, State, Subscription
from monitor.client import Phase as FeedPhase

SINGLE_CONNECTIONS = 8
BATCH_CONNECTIONS = 4
RESEND_SECONDS = 60.0
PATIENCE_SECONDS = 60.0
BROADCAST_PATIENCE_SECONDS = 5.0
PROBE_SECONDS = 0.05
KEY_FILE = Path(__file__).parent / ".data" / "ingest_key"


class Stopped(Exception):
    """The demonstration cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Options:
    url: str
    key: str
    stream: str
    events: int
    batch_events: int
    batch: int
    rate: float

    @property
    def total(self) -> int:
        return self.events + self.batch_events

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@dataclass
class Phase:
    """Events sent in requests of one size. Latencies are seconds from the sending of their request."""

    name: str
    numbers: range
    batch: int
    connections: int
    acknowledged: int = 0
    seconds: float = 0.0
    acknowledgement_latencies: list[float] = field(default_factory=list)
    broadcast_latencies: list[float] = field(default_factory=list)

    def pieces(self) -> Iterator[range]:
        return (self.numbers[at : at + self.batch] for at in range(0, len(self.numbers), self.batch))


class Reading(msgspec.Struct):
    """The number of an event, in its payload."""

    reading: int = -1


class Service:
    """The HTTP side of the service."""

    def __init__(self, options: Options) -> None:
        self._client = httpx2.AsyncClient(base_url=options.url, headers=options.headers, timeout=30.0)
        self._stream = options.stream
        self.resent = 0

    async def check(self) -> None:
        """Raises Stopped when there is no service, or the key is none of its own."""
        try:
            response = await self._client.get("/api/streams/")
        except httpx2.TransportError as error:
            raise Stopped(
                f"Nothing answers at {self._client.base_url}. Start it with 'make run' or say --url."
            ) from error
        if response.status_code in (401, 403):
            raise Stopped(f"The key was refused: {_detail(response)} Say --key or set DATA_HANDLER_KEY.")
        if response.status_code != 200:
            raise Stopped(f"The service answers {response.status_code}: {_detail(response)} See its log.")

    async def send(self, body: bytes, events: int, with_ids: bool) -> dict[str, Any]:
        """The acknowledgement of these events, sent again while that may help. Raises Stopped when not."""
        give_up_at, pause_seconds = time.monotonic() + RESEND_SECONDS, 0.1
        while True:
            response, reason = await self._post(body, with_ids)
            if response is not None and response.status_code in (200, 202):
                return dict(orjson.loads(response.content))
            if response is not None and response.status_code not in (429, 503):
                raise Stopped(f"The service refused events with {reason}")
            if time.monotonic() > give_up_at:
                raise Stopped(f"Events could not be sent for {RESEND_SECONDS:.0f} s; last: {reason}")
            self.resent += events
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.5))
            pause_seconds = min(2 * pause_seconds, 5.0)

    async def counts(self) -> tuple[int, int] | None:
        """Events and dead letters stored of the stream; None when the service cannot say now."""
        stream = await self._get(f"/api/streams/{self._stream}/")
        return (stream["events"], stream["dead_letters"]) if stream else None

    async def status(self, id: str) -> str | None:
        """What became of an event: buffered, stored or dead; None when the service cannot say now."""
        receipt = await self._get(f"/api/events/{id}/")
        return str(receipt["status"]) if receipt else None

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, body: bytes, with_ids: bool) -> tuple[httpx2.Response | None, str]:
        path = f"/api/streams/{self._stream}/events/{'?ids=1' if with_ids else ''}"
        try:
            response = await self._client.post(path, content=body, headers={"Content-Type": "application/json"})
        except httpx2.TransportError as error:
            return None, f"no answer ({str(error) or type(error).__name__})"
        return response, f"{response.status_code}: {_detail(response)}"

    async def _get(self, path: str) -> Any:
        with suppress(httpx2.TransportError):
            response = await self._client.get(path)
            if response.status_code == 200:
                return orjson.loads(response.content)
        return None


def _detail(response: httpx2.Response) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(orjson.loads(response.content)["detail"])
    return response.text[:200]


class Broadcasts:
    """Watches the stream on the live feed. A lost connection is made again, and what it missed is read then."""

    def __init__(self, options: Options, phases: list[Phase], sent_at: list[float]) -> None:
        self._feed = Feed(options.url, options.key, Subscription(stream=options.stream), on_state=self._on_state)
        self._phases = phases
        self._sent_at = sent_at
        self.ready = asyncio.Event()
        self.matched = 0
        self.gaps = 0
        self.reconnects = 0

    async def listen(self) -> None:
        """Until cancelled. Raises Stopped when watching is refused, or does not begin."""
        try:
            async with aclosing(self._feed.frames()) as frames:
                async for frame in frames:
                    if isinstance(frame, Events):
                        self._note(frame.read(), time.monotonic())
                    self.matched = self._feed.coverage.matched
                    self.gaps += isinstance(frame, Gap)
        except ClientError as error:
            raise Stopped(str(error)) from error

    def _note(self, events: list[Event], now: float) -> None:
        for event in events:
            number = msgspec.json.decode(event.payload, type=Reading).reading
            if 0 <= number < len(self._sent_at):  # else somebody else's
                phase = self._phases[number not in self._phases[0].numbers]
                phase.broadcast_latencies.append(now - self._sent_at[number])

    def _on_state(self, state: State) -> None:
        if state.phase in (FeedPhase.LIVE, FeedPhase.CATCHING_UP):
            self.ready.set()
        elif state.phase is FeedPhase.WAITING:
            if not self.ready.is_set():
                raise Stopped(f"The live feed cannot be opened: {state.reason}. See the log of the service.")
            self.reconnects += 1


class Storage:
    """Counts what is stored, and follows one event at a time from its sending to its storage."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._before = (0, 0)
        self._probe: asyncio.Task[None] | None = None
        self.stored = 0
        self.dead = 0
        self.latencies: list[float] = []

    @property
    def idle(self) -> bool:
        return self._probe is None or self._probe.done()

    async def watch(self) -> None:
        """Ask until cancelled."""
        while True:
            if counts := await self._service.counts():
                self.stored, self.dead = (now - then for now, then in zip(counts, self._before, strict=True))
            await asyncio.sleep(0.25)

    async def start(self) -> None:
        """Leave out what the stream held before."""
        self._before = await self._service.counts() or (0, 0)

    def stop(self) -> None:
        if self._probe is not None:
            self._probe.cancel()

    def follow(self, id: str, sent_at: float) -> None:
        if self.idle:
            self._probe = asyncio.create_task(self._ask(id, sent_at))

    async def _ask(self, id: str, sent_at: float) -> None:
        while await self._service.status(id) != "stored":
            await asyncio.sleep(PROBE_SECONDS)
            if time.monotonic() > sent_at + PATIENCE_SECONDS:
                return
        self.latencies.append(time.monotonic() - sent_at)


class Run:
    """Sends the events. The name of the run and an event's number are its id."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.phases = [
            Phase("one by one", range(options.events), 1, SINGLE_CONNECTIONS),
            Phase("in batches", range(options.events, options.total), options.batch, BATCH_CONNECTIONS),
        ]
        self._name = secrets.token_hex(6)
        self._sent_at = [0.0] * options.total
        self._may_send_at = 0.0
        self.service = Service(options)
        self.feed = Broadcasts(options, self.phases, self._sent_at)
        self.storage = Storage(self.service)

    @property
    def acknowledged(self) -> int:
        return sum(phase.acknowledged for phase in self.phases)

    async def perform(self) -> None:
        """Send everything and watch it arrive. Raises Stopped, in an ExceptionGroup."""
        await self.storage.start()
        async with asyncio.TaskGroup() as group:
            watchers = [group.create_task(self.feed.listen()), group.create_task(self.storage.watch())]
            await self.feed.ready.wait()
            for phase in self.phases:
                await self._send(phase)
                await self._until(lambda: self.feed.matched >= self.acknowledged, lambda: BROADCAST_PATIENCE_SECONDS)
            await self._until(self._complete, self._patience_seconds)
            for watcher in watchers:
                watcher.cancel()
        self.storage.stop()

    async def _send(self, phase: Phase) -> None:
        started_at = time.monotonic()
        pieces = phase.pieces()
        async with asyncio.TaskGroup() as group:
            for _ in range(phase.connections):
                group.create_task(self._send_pieces(phase, pieces))
        phase.seconds = time.monotonic() - started_at

    async def _send_pieces(self, phase: Phase, pieces: Iterator[range]) -> None:
        for numbers in pieces:
            await self._keep_to_rate(len(numbers))
            readings = self._readings(numbers)
            body = orjson.dumps(readings[0] if phase.batch == 1 else readings)
            sent_at = time.monotonic()
            self._sent_at[numbers.start : numbers.stop] = [sent_at] * len(numbers)
            with_ids = self.storage.idle
            answer = await self.service.send(body, len(numbers), with_ids)
            phase.acknowledgement_latencies.append(time.monotonic() - sent_at)
            phase.acknowledged += answer.get("accepted", 1)
            if with_ids:
                self.storage.follow(answer["id"] if "id" in answer else answer["ids"][-1], sent_at)

    def _readings(self, numbers: range) -> list[dict[str, Any]]:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return [
            {
                "id": f"{self._name}-{number}",
                "type": "reading",
                "time": now,
                "reading": number,
                "sensor": f"greenhouse-{number % 24:02}",
                "temperature_celsius": round(random.gauss(21.5, 2.0), 2),
                "humidity_percent": round(random.uniform(35.0, 80.0), 1),
            }
            for number in numbers
        ]

    async def _keep_to_rate(self, events: int) -> None:
        if self.options.rate:
            start = max(self._may_send_at, time.monotonic())
            self._may_send_at = start + events / self.options.rate
            await asyncio.sleep(start - time.monotonic())

    async def _until(self, done: Callable[[], bool], patience_seconds: Callable[[], float]) -> None:
        """Wait until it is done, or nothing has changed for a while."""
        state, changed_at = (-1, -1, -1), time.monotonic()
        while not done():
            if (now := (self.feed.matched, self.storage.stored, self.storage.dead)) != state:
                state, changed_at = now, time.monotonic()
            if time.monotonic() > changed_at + patience_seconds():
                return
            await asyncio.sleep(0.05)

    def _complete(self) -> bool:
        return min(self.feed.matched, self.storage.stored) >= self.acknowledged

    def _patience_seconds(self) -> float:
        """What is in a gap of the feed does not come; storing is worth a longer wait."""
        accounted = self.storage.stored + self.storage.dead >= self.acknowledged
        return BROADCAST_PATIENCE_SECONDS if accounted else PATIENCE_SECONDS


def verdict(run: Run) -> list[str]:
    """What is off; nothing when all is well. An event sent twice may be broadcast twice, but is stored once."""
    acknowledged, broadcast = run.acknowledged, run.feed.matched
    faults = {
        "were not acknowledged: see 'errors' in the answers": run.options.total - acknowledged,
        "are not stored: does the flush worker run?": acknowledged - run.storage.stored,
        "too many are stored: did others write the stream?": run.storage.stored - acknowledged,
        "are dead letters: see /api/dead-letters/": run.storage.dead,
        "were not broadcast: does the notify worker run?": 0 if run.feed.gaps else acknowledged - broadcast,
        "too many were broadcast": broadcast - acknowledged - run.service.resent,
    }
    return [f"{count:,} events {fault}" for fault, count in faults.items() if count > 0]


def notes(run: Run) -> list[str]:
    """What is worth knowing although it is in order."""
    found = []
    if run.service.resent:
        found.append(f"{run.service.resent:,} events were sent again after a lost connection or a 503.")
    if run.feed.reconnects:
        found.append(f"The live feed was connected again {run.feed.reconnects} times.")
    if run.feed.gaps:
        unseen = max(0, run.acknowledged - run.feed.matched)
        found.append(f"The live feed has {run.feed.gaps} gaps; {unseen:,} broadcasts were not seen.")
    return found


def summary(run: Run) -> Table:
    shown = sum(len(phase.broadcast_latencies) for phase in run.phases)
    table = Table("", "", title=f"Stream {run.options.stream}", show_header=False)
    table.add_row("sent", f"{run.options.total:,}")
    table.add_row("acknowledged", f"{run.acknowledged:,}")
    table.add_row("broadcast", f"{run.feed.matched:,}")
    table.add_row("  each on its own", f"{shown:,}")
    table.add_row("  counted", f"{run.feed.matched - shown:,}")
    table.add_row("stored", f"{run.storage.stored:,}")
    table.add_row("dead letters", f"{run.storage.dead:,}", end_section=True)
    for phase in run.phases:
        if phase.acknowledged:
            _add_phase(table, phase)
    table.add_row(f"to storage, p50 / p99 of {len(run.storage.latencies)} events*", _quantiles(run.storage.latencies))
    table.caption = f"* followed one by one, asked every {PROBE_SECONDS * 1000:.0f} ms"
    table.columns[1].justify = "right"
    return table


def _add_phase(table: Table, phase: Phase) -> None:
    table.add_row(f"{phase.name}, events/s", f"{len(phase.numbers) / phase.seconds:,.0f}")
    table.add_row("  to acknowledgement, p50 / p99", _quantiles(phase.acknowledgement_latencies))
    table.add_row("  broadcast each on its own", f"{len(phase.broadcast_latencies):,}")
    table.add_row("  to broadcast, p50 / p99", _quantiles(phase.broadcast_latencies), end_section=True)


def _quantiles(seconds: list[float]) -> str:
    if not seconds:
        return "–"
    ordered = sorted(seconds)
    p50, p99 = (ordered[int(share * (len(ordered) - 1))] * 1000 for share in (0.5, 0.99))
    return f"{p50:,.1f} / {p99:,.1f} ms"


async def show(run: Run, console: Console) -> None:
    """Keep the progress bars current until cancelled."""
    bars: list[tuple[str, Callable[[], int]]] = [
        ("acknowledged", lambda: run.acknowledged),
        ("broadcast", lambda: run.feed.matched),
        ("stored", lambda: run.storage.stored),
    ]
    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks = [(progress.add_task(name, total=run.options.total), count) for name, count in bars]
        try:
            while True:
                await asyncio.sleep(0.1)
                for task, count in tasks:
                    progress.update(task, completed=count())
        finally:
            for task, count in tasks:
                progress.update(task, completed=count())


async def demonstrate(options: Options, console: Console) -> int:
    run = Run(options)
    try:
        await run.service.check()
        showing = asyncio.create_task(show(run, console))
        try:
            await run.perform()
        except ExceptionGroup as group:
            raise _first(group) from None
        finally:
            showing.cancel()
            await asyncio.wait([showing])
    finally:
        await run.service.close()
    console.print(summary(run))
    for note in notes(run):
        console.print(f"Note: {note}")
    faults = verdict(run)
    for fault in faults:
        console.print(f"Not as promised: {fault}", style="red")
    if not faults:
        broadcast = "= broadcast " if run.feed.matched == run.options.total else ""
        console.print(f"sent = acknowledged {broadcast}= stored", style="green")
    return 1 if faults else 0


def _first(error: Exception) -> Exception:
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def parse(arguments: list[str]) -> Options:
    environ = os.environ
    default_stream = f"demo-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    parser = argparse.ArgumentParser(description="Send events, watch them come back, compare with what is stored.")
    parser.add_argument("--url", default=environ.get("DATA_HANDLER_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--key", default=environ.get("DATA_HANDLER_KEY"), help="an API key that may ingest and read")
    parser.add_argument("--stream", default=default_stream, help="one that nobody else writes now; default: a new one")
    parser.add_argument("--events", type=int, default=1000, help="events sent one by one")
    parser.add_argument("--batch-events", type=int, default=100_000, help="events sent in batches after them")
    parser.add_argument("--batch", type=int, default=500, help="events in one batch")
    parser.add_argument("--rate", type=float, default=0.0, help="most events a second; 0: as many as go")
    given = parser.parse_args(arguments)
    if given.events + given.batch_events < 1 or given.batch < 1:
        parser.error("there is nothing to send: --events or --batch-events, and --batch, must be positive")
    key = given.key or (KEY_FILE.read_text().strip() if KEY_FILE.exists() else "")
    if not key:
        parser.error(f"no API key: say --key or set DATA_HANDLER_KEY ({KEY_FILE} appears with 'make run')")
    return Options(**{**vars(given), "url": given.url.rstrip("/"), "key": key})


def main() -> int:
    console = Console(highlight=False)
    options = parse(sys.argv[1:])
    try:
        return asyncio.run(demonstrate(options, console))
    except Stopped as error:
        console.print(str(error), style="red")
    except KeyboardInterrupt:
        console.print("Interrupted; what was acknowledged is kept.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
