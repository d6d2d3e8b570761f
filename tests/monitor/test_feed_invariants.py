"""The rules of docs/live-feed.md, held against a real server by clients that come and go as they please."""

import asyncio
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from data_handler import embedded
from monitor.client import Coverage, Events, Gap, Position
from monitor.client.frames import Heartbeat, Hello, Ok, decode, encode
from tests.faults.arrivals import Arrivals, Question, random_question
from tests.faults.injection import until
from tests.faults.installation import Installation

SECONDS_OF_TRAFFIC = 3.0
LOSSES = 4
SETTLE_SECONDS = 10.0
BURST_SECONDS = 1.5  # one, and the way of the frames


@pytest.fixture
def empty_feed() -> None:
    """These tests have services of their own."""


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """Few events are announced in full, and few are kept: whatever can be left out is."""
    folder = Path(tempfile.mkdtemp(prefix="data-handler-feed-"))
    installation = Installation(folder, NOTIFY_MAX_EVENTS="30", FEED_REPLAY_EVENTS="240")
    installation.start()
    yield installation
    installation.stop()
    embedded.remove(installation.home)
    shutil.rmtree(folder)


@dataclass
class Subscription:
    """One that goes on over several connections. `start`: where it began; None: not yet."""

    id: str
    question: Question
    max_rate: int | None = None
    start: Position | None = None
    coverage: Coverage = field(default_factory=Coverage)
    ids: set[str] = field(default_factory=set)
    began_at: float = 0.0
    shown_since: int = 0

    def sub(self) -> str:
        since = self.coverage.position
        given = {"epoch": since.epoch, "seq": since.seq} if since else None
        return encode("sub", id=self.id, **self.question.fields(), max_rate=self.max_rate, since=given)

    def begin(self, ok: Ok) -> None:
        self.coverage.begin(Position(ok.epoch, ok.seq))
        self.start = self.start or self.coverage.position
        self.began_at, self.shown_since = time.monotonic(), 0

    def take(self, frame: Events | Gap, limits: dict[str, float]) -> None:
        self.coverage.take(frame)
        if isinstance(frame, Events):
            assert len(frame.events) <= limits["max_events_per_frame"]
            assert sum(map(len, map(bytes, frame.events))) <= limits["max_frame_bytes"]
            assert frame.unchecked == 0 or self.question.filter is not None
            assert frame.matched == frame.n or self.question != Question()
            self._look_at(frame)
        else:
            assert frame.reason in ("lost", "expired"), frame

    def _look_at(self, frame: Events) -> None:
        events = frame.read()
        times = [datetime.fromisoformat(event.received_at) for event in events]
        assert times == sorted(times)
        for event in events:
            assert event.id not in self.ids, f"{event.id} is shown again"
            self.ids.add(event.id)
            assert self.question.wants(
                event.stream, {"type": event.type, "payload": msgspec.json.decode(event.payload)}
            )
        self.shown_since += len(events)
        if self.max_rate is not None:
            assert self.shown_since <= self.max_rate * (time.monotonic() - self.began_at + BURST_SECONDS)


@dataclass
class Client:
    """Connects, subscribes, goes away without a word, and comes back where it was; stays once it is to `stay`."""

    installation: Installation
    rng: random.Random
    subscriptions: list[Subscription]
    acknowledges: bool
    stay: asyncio.Event
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        while True:
            async with self._connection() as socket:
                leaving = asyncio.create_task(self._leave(socket))
                try:
                    await self._converse(socket)
                except ConnectionClosed as closed:
                    if closed.rcvd is not None:
                        raise
                finally:
                    leaving.cancel()
            await asyncio.sleep(self.rng.uniform(0, 0.5))

    def _connection(self) -> connect:
        url = self.installation.url.replace("http", "ws", 1) + "/ws/events/"
        headers = {"Authorization": f"Bearer {self.installation.key}"}
        return connect(url, additional_headers=headers, compression=None, max_size=None, proxy=None)

    async def _leave(self, socket: ClientConnection) -> None:
        await self.begun.wait()
        await asyncio.sleep(self.rng.uniform(0.05, 1.5))
        if not self.stay.is_set():
            socket.transport.abort()

    async def _converse(self, socket: ClientConnection) -> None:
        hello = decode(await socket.recv())
        assert isinstance(hello, Hello)
        known = {subscription.id: subscription for subscription in self.subscriptions}
        for subscription in self.subscriptions:
            await socket.send(subscription.sub())
        while True:
            frame = decode(await socket.recv())
            if isinstance(frame, Events | Gap):
                known[frame.id].take(frame, hello.limits)
                if self.acknowledges:
                    await socket.send(encode("ack", seq=frame.last))
            elif isinstance(frame, Ok):
                known[frame.id].begin(frame)
                if all(subscription.start for subscription in self.subscriptions):
                    self.begun.set()
            else:
                assert isinstance(frame, Heartbeat), frame


def crowd(installation: Installation, rng: random.Random, stay: asyncio.Event) -> list[Client]:
    def subscription(number: int) -> Subscription:
        question = Question() if rng.random() < 0.2 else random_question(rng)
        subscription = Subscription(f"s{number}", question, rng.choice((None, None, 0, 5, 100)))
        if number == 0 and (present := installation.position()):
            subscription.coverage.position = Position(present[0], 0)
        return subscription

    return [
        Client(installation, rng, [subscription(n) for n in range(rng.randint(1, 6))], rng.random() < 0.5, stay)
        for _ in range(6)
    ]


@pytest.mark.stack
@pytest.mark.parametrize("turn", range(2))
async def test_whoever_comes_and_goes_is_told_of_every_event_once(installation: Installation, turn: int) -> None:
    seed = secrets.randbelow(1 << 32)
    print(f"Seed {seed}")
    rng, stay = random.Random(seed), asyncio.Event()
    clients, arrivals = crowd(installation, rng, stay), Arrivals(installation.url, installation.key, rng)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(client.run()) for client in clients]
        for client in clients:
            await client.begun.wait()
        _, before = installation.position() or ("", 0)
        await asyncio.gather(
            arrivals.send(connections=5, seconds=SECONDS_OF_TRAFFIC),
            asyncio.to_thread(lose_some_broadcasts, installation),
        )
        stay.set()
        end = before + len(arrivals.accepted)
        await until(lambda: seq_of(installation) == end, SETTLE_SECONDS)
        await arrivals.send_last()
        subscriptions = [subscription for client in clients for subscription in client.subscriptions]
        last = before + len(arrivals.accepted)
        await until(lambda: all(is_told(s, end, last) for s in subscriptions), SETTLE_SECONDS)
        for task in running:
            task.cancel()
    assert seq_of(installation) == last
    assert any(s.coverage.missing for s in subscriptions) or before == 0, "nothing was ever too old to be kept"
    for subscription in subscriptions:
        judge(subscription, arrivals, before, end, last)


def lose_some_broadcasts(installation: Installation) -> None:
    for _ in range(LOSSES):
        time.sleep(SECONDS_OF_TRAFFIC / LOSSES / 2)
        installation.lose_broadcasts(0.2)


def seq_of(installation: Installation) -> int:
    position = installation.position()
    return position[1] if position else 0


def is_told(subscription: Subscription, end: int, last: int) -> bool:
    """One that asks for something may not be told of the very last events: they bring it what was before."""
    position = subscription.coverage.position
    return position is not None and (
        position.seq == last or (position.seq > end and subscription.question != Question())
    )


def judge(subscription: Subscription, arrivals: Arrivals, before: int, end: int, last: int) -> None:
    coverage, position = subscription.coverage, subscription.coverage.position
    assert position
    assert subscription.start
    assert is_told(subscription, end, last), subscription
    missing = coverage.missing.total()
    assert coverage.covered + missing == position.seq - subscription.start.seq
    if subscription.start.seq == before:
        due = arrivals.count(subscription.question)
        assert due - coverage.unchecked - missing <= coverage.matched <= due, (subscription.question, due, coverage)
