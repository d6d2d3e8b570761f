"""Clients that send events the whole time, over several connections, and write down what they were told."""

import asyncio
import itertools
import random
import time
from typing import NamedTuple, Self

import httpx2
import orjson

from tests.faults.evidence import Sent

SINGLE_CONNECTIONS = 4
SINGLE_PAUSE_SECONDS = 0.05
BATCH_CONNECTIONS = 4
KEYED_SHARE = 0.7
SENT_TWICE_SHARE = 0.03
GIVE_UP_SECONDS = 60.0
ANSWER_SECONDS = 15.0
PAUSE_SECONDS = 0.1
TYPES = 5
ACCEPTED, REFUSED = 202, 503
UNANSWERED, NOT_CONNECTED = 0, -1


class Attempt(NamedTuple):
    """A request of so many events, in seconds of the monotonic clock.

    `status`: that of HTTP, or UNANSWERED, or NOT_CONNECTED.
    """

    sent_at: float
    ended_at: float
    status: int
    events: int

    @property
    def seconds(self) -> float:
        return self.ended_at - self.sent_at


class Traffic:
    """`events_per_second` is what goes in batches; single events come on top of it, a few dozen a second.

    Events with a key are sent again until they are acknowledged. Those without are sent again only when no connection
    could be made; any other failure leaves them unknown.
    """

    def __init__(self, url: str, key: str, *, batch: int, events_per_second: float, rng: random.Random) -> None:
        self.sent = Sent(run=f"{rng.getrandbits(48):012x}")
        self.attempts: list[Attempt] = []
        self.odd_answers: list[str] = []
        self._batch = batch
        self._events_per_second = events_per_second
        self._rng = rng
        self._may_send_at = 0.0
        self._stopping = asyncio.Event()
        self._client = httpx2.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=ANSWER_SECONDS
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._client.aclose()

    async def run(self) -> None:
        """Send until `stop`; returns when every request has its outcome."""
        async with asyncio.TaskGroup() as group:
            for _ in range(SINGLE_CONNECTIONS):
                group.create_task(self._send_singles())
            for _ in range(BATCH_CONNECTIONS):
                group.create_task(self._send_batches())

    def stop(self) -> None:
        self._stopping.set()

    async def send_last(self) -> None:
        """Something of every type, which brings along what watchers have not been told for want of a match."""
        await self._send(TYPES)

    def accepted_since(self, moment: float) -> float | None:
        """When the first request that was sent after `moment` was acknowledged; None: not yet."""
        attempts = (attempt for attempt in self.ended_since(moment) if attempt.sent_at > moment)
        return min((attempt.ended_at for attempt in attempts if attempt.status == ACCEPTED), default=None)

    def ended_since(self, moment: float) -> list[Attempt]:
        return list(itertools.takewhile(lambda attempt: attempt.ended_at > moment, reversed(self.attempts)))

    async def _send_singles(self) -> None:
        while not self._stopping.is_set():
            await self._send(1)
            await asyncio.sleep(SINGLE_PAUSE_SECONDS)

    async def _send_batches(self) -> None:
        while not self._stopping.is_set():
            start = max(self._may_send_at, time.monotonic())
            self._may_send_at = start + self._batch / self._events_per_second
            await asyncio.sleep(start - time.monotonic())
            await self._send(self._batch)

    async def _send(self, count: int) -> None:
        keyed = self._rng.random() < KEYED_SHARE
        numbers = self.sent.take(count, keyed=keyed)
        await self._deliver(numbers, keyed)
        if keyed and self._rng.random() < SENT_TWICE_SHARE:
            self.sent.resent += count
            await self._deliver(numbers, keyed)

    async def _deliver(self, numbers: range, keyed: bool) -> None:
        body = orjson.dumps(
            [self._event(number) for number in numbers] if len(numbers) > 1 else self._event(numbers[0])
        )
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while True:
            status, ids = await self._post(body, len(numbers))
            if status == ACCEPTED:
                return self.sent.acknowledge(ids, numbers)
            if time.monotonic() > give_up_at or not (keyed or status == NOT_CONNECTED):
                return self.sent.unknown.update(numbers)
            self.sent.resent += len(numbers) if status != NOT_CONNECTED else 0
            await asyncio.sleep(PAUSE_SECONDS)

    async def _post(self, body: bytes, events: int) -> tuple[int, list[str]]:
        sent_at = time.monotonic()
        status, content = await self._request(body)
        self.attempts.append(Attempt(sent_at, time.monotonic(), status, events))
        if status == ACCEPTED:
            answer = orjson.loads(content)
            return status, answer["ids"] if "ids" in answer else [answer["id"]]
        if status > 0 and status != REFUSED:
            self.odd_answers.append(f"{status}: {content[:300].decode(errors='replace')}")
        return status, []

    async def _request(self, body: bytes) -> tuple[int, bytes]:
        try:
            response = await self._client.post(
                "/api/streams/faults/events/?ids=1", content=body, headers={"Content-Type": "application/json"}
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            return NOT_CONNECTED, b""
        except httpx2.TransportError:
            return UNANSWERED, b""
        return response.status_code, response.content

    def _event(self, number: int) -> dict[str, object]:
        event: dict[str, object] = {"run": self.sent.run, "number": number, "type": f"kind-{number % TYPES}"}
        if key := self.sent.key_of(number):
            event["id"] = key
        return event
