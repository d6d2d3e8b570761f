"""Random events of several streams, types and shapes, and what may be asked about them."""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import httpx2

STREAMS = ("alpha", "beta")
TYPES = ("alarm.fire", "alarm.water", "reading", None)
SITES = ("oslo", "rome", None)
SPEEDS = (0, 49.5, 50, 1200, "50", True, None)
NAMES = ("Main Pump", "main valve", "Ünit 7")
BAD = "\x00"

Event = dict[str, Any]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPE_GLOBS: dict[str | None, Callable[[str | None], bool]] = {
    None: lambda type: True,
    "alarm.*": lambda type: type is not None and type.startswith("alarm."),
    "?eading": lambda type: type == "reading",
    "*": lambda type: type is not None,
}
FILTERS: dict[str | None, Callable[[Event], bool]] = {
    None: lambda event: True,
    "payload.site=oslo": lambda event: event["site"] == "oslo",
    "payload.site!=oslo": lambda event: event["site"] != "oslo",
    "payload.motor.speed>=50": lambda event: _number(event["motor"]["speed"]) and event["motor"]["speed"] >= 50,
    'payload.motor.speed="50"': lambda event: event["motor"]["speed"] == "50",
    "payload.tags.1=red payload.site=null": lambda event: event["tags"][1] == "red" and event["site"] is None,
    '"MAIN pump"': lambda event: event["name"] == "Main Pump",
    "ünit": lambda event: event["name"] == "Ünit 7",
}


@dataclass(frozen=True)
class Question:
    """What a subscription asks for."""

    stream: str | None = None
    type: str | None = None
    filter: str | None = None

    def wants(self, stream: str, event: Event) -> bool:
        return (
            self.stream in (None, stream)
            and TYPE_GLOBS[self.type](event.get("type"))
            and FILTERS[self.filter](event.get("payload", event))
        )

    def fields(self) -> dict[str, str]:
        given = {"stream": self.stream, "type": self.type, "filter": self.filter}
        return {name: value for name, value in given.items() if value is not None}


def random_question(rng: random.Random) -> Question:
    return Question(rng.choice((None, *STREAMS)), rng.choice(list(TYPE_GLOBS)), rng.choice(list(FILTERS)))


def random_event(rng: random.Random, type_: str | None) -> Event:
    event: Event = {
        "site": rng.choice(SITES),
        "motor": {"speed": rng.choice(SPEEDS)},
        "tags": [rng.choice(("red", "blue")), rng.choice(("red", "blue"))],
        "name": rng.choice(NAMES),
        "text": "x" * rng.choice((0, 20, 2000)),
    }
    return event if type_ is None else {**event, "type": type_}


@dataclass
class Arrivals:
    """Events on their way to a server. `accepted`: stream and event of each that was acknowledged."""

    url: str
    key: str
    rng: random.Random
    accepted: list[tuple[str, Event]] = field(default_factory=list)

    async def send(self, connections: int, seconds: float) -> None:
        """Single events, batches, and some that are refused, over several connections at once."""
        async with asyncio.timeout(seconds + 30), asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(self._send_for(seconds))

    async def send_last(self) -> None:
        """Something for whoever asks for anything, so that nobody waits for a match."""
        async with self._client() as client:
            for stream in (*STREAMS, STREAMS[0]):
                await self._post(client, stream, list(_of_every_kind()))

    def count(self, question: Question) -> int:
        return sum(question.wants(stream, event) for stream, event in self.accepted)

    async def _send_for(self, seconds: float) -> None:
        ends_at = asyncio.get_running_loop().time() + seconds
        async with self._client() as client:
            while asyncio.get_running_loop().time() < ends_at:
                events = [self._event() for _ in range(self.rng.choice((1, 1, 3, 40, 150)))]
                await self._post(client, self.rng.choice(STREAMS), events)
                await asyncio.sleep(self.rng.choice((0, 0.01, 0.1, 0.3)))

    def _event(self) -> Event:
        event = random_event(self.rng, self.rng.choice(TYPES))
        return {**event, "text": BAD} if self.rng.random() < 0.02 else event

    async def _post(self, client: httpx2.AsyncClient, stream: str, events: list[Event]) -> None:
        response = await client.post(f"/api/streams/{stream}/events/", json=events)
        sound = [event for event in events if event["text"] != BAD]
        assert response.status_code == (202 if sound else 400), response.text
        self.accepted += [(stream, event) for event in sound]

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=15)


def _of_every_kind() -> Iterator[Event]:
    shapes = list(product(SITES, ("50", 50), NAMES))
    for number, type_ in enumerate(TYPES):
        for site, speed, name in shapes[number::2]:
            event = {"site": site, "motor": {"speed": speed}, "tags": ["", "red"], "name": name, "text": ""}
            yield event if type_ is None else {**event, "type": type_}
