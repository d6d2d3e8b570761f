"""Clients of the live feed that come back by its rules, and write down what they were told."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import orjson

from monitor.client import ClientError, Events, Feed, Gap, Subscription
from monitor.client.backoff import Backoff

LATE_NUMBER = 1000


@dataclass(frozen=True)
class Interest:
    """What a watcher asks for, and which events that is: `wants` takes an event's number and type."""

    name: str
    subscription: Subscription
    wants: Callable[[int, str], bool]


INTERESTS = (
    Interest("all", Subscription(), lambda number, type: True),
    Interest("all, at most 20 a second", Subscription(max_rate=20), lambda number, type: True),
    Interest("a stream", Subscription(stream="faults"), lambda number, type: True),
    Interest("type kind-1", Subscription(type="kind-1"), lambda number, type: type == "kind-1"),
    Interest("type *-2", Subscription(stream="faults", type="*-2"), lambda number, type: type == "kind-2"),
    Interest(
        "late numbers",
        Subscription(filter=f"payload.number>={LATE_NUMBER}"),
        lambda number, type: number >= LATE_NUMBER,
    ),
)


@dataclass
class Heard:
    """All that one watcher was told. `shown`: epoch and event id → number and type, `again`: ids shown before.

    `ends`: epoch → the last number that it heard of. `missing`: numbers in gaps.
    """

    interest: Interest
    shown: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    covered: int = 0
    matched: int = 0
    unchecked: int = 0
    fault: str = ""

    @property
    def missing(self) -> int:
        return sum(gap.last - gap.first + 1 for gap in self.gaps)

    @property
    def sizes(self) -> dict[str, list[int]]:
        """Of the gaps, by reason."""
        sizes: dict[str, list[int]] = {}
        for gap in self.gaps:
            sizes.setdefault(gap.reason, []).append(gap.last - gap.first + 1)
        return sizes

    def take(self, frame: Events | Gap) -> None:
        self.ends[frame.epoch] = frame.last
        if isinstance(frame, Gap):
            self.gaps.append(frame)
            return
        self.covered += frame.n
        self.matched += frame.matched
        self.unchecked += frame.unchecked
        for event in frame.read():
            payload = orjson.loads(bytes(event.payload))
            if (frame.epoch, event.id) in self.shown:
                self.again.append(event.id)
            self.shown[frame.epoch, event.id] = payload["number"], event.type or ""


class Watchers:
    """One client for each interest. `connections` counts how often each got in."""

    def __init__(self, url: str, key: str, rng: random.Random) -> None:
        self.heard = [Heard(interest) for interest in INTERESTS]
        self.connections: Counter[str] = Counter()
        self._feeds = [
            Feed(url, key, heard.interest.subscription, backoff=Backoff(lambda: rng.uniform(0.5, 1.0)))
            for heard in self.heard
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Watchers":
        self._tasks = [asyncio.create_task(self._watch(*pair)) for pair in zip(self._feeds, self.heard, strict=True)]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    def have_begun(self) -> bool:
        return all(feed.coverage.position is not None for feed in self._feeds)

    def are_at(self, epoch: str, seq: int) -> bool:
        return all(heard.ends.get(epoch) == seq for heard in self.heard if not heard.fault)

    async def _watch(self, feed: Feed, heard: Heard) -> None:
        try:
            async with aclosing(feed.frames()) as frames:
                async for frame in frames:
                    if isinstance(frame, Events | Gap):
                        heard.take(frame)
        except ClientError as error:
            heard.fault = str(error)
