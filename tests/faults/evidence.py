"""What the two sides say: the client about what it sent, the service about what it stored."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, LiteralString, NamedTuple

import psycopg
import redis

from data_handler.embedded.home import Home

Slot = tuple[int, str]  # minutes since 1970 (UTC), type of the event
Counts = tuple[int, int, int]  # events, duplicates, dead
PUSHED = ":pushed"  # counts by producer, which stay


@dataclass
class Sent:
    """Events are numbered from 0; those of `keyed` carry an idempotency key, made of the run's name and the number.

    `acknowledged`: event id of a 202 → number. An event that was sent again after a 202 has several ids.
    `unknown`: numbers for which no acknowledgement came; each may be stored once or not at all.
    """

    run: str
    total: int = 0
    keyed: set[int] = field(default_factory=set)
    acknowledged: dict[str, int] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    resent: int = 0

    def key_of(self, number: int) -> str | None:
        return f"{self.run}-{number}" if number in self.keyed else None

    def take(self, count: int, *, keyed: bool) -> range:
        """The next numbers."""
        numbers = range(self.total, self.total + count)
        self.total += count
        if keyed:
            self.keyed.update(numbers)
        return numbers

    def acknowledge(self, ids: Iterable[str], numbers: range) -> None:
        self.acknowledged.update(zip(ids, numbers, strict=True))


class Row(NamedTuple):
    """A row of `event` or `dead_letter`; `run` and `number` are what its payload says."""

    id: str
    key: str | None
    type: str
    run: str | None
    number: int | None


@dataclass(frozen=True)
class Stored:
    """All that is in the tables; `claims`: idempotency key → event id; `buffer_keys`: what the buffer still holds."""

    events: list[Row]
    dead: list[Row]
    duplicates: dict[str, str]
    claims: dict[str, str]
    rollups: dict[Slot, Counts]
    events_in_ledger: int
    buffer_keys: list[str]

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """Dead letters too: they are kept."""
        return {row.id: row for row in chain(self.events, self.dead)}

    @cached_property
    def event_ids(self) -> set[str]:
        return {row.id for row in self.events}

    def standing_for(self, id: str) -> Row | None:
        """The row that keeps the event of this id: its own, or that of the event it is a duplicate of."""
        if id in self.duplicates:
            original = self.duplicates[id]
            return self.by_id[original] if original in self.event_ids else None
        return self.by_id.get(id)


def minute_of(id: str) -> int:
    """Event ids are UUIDv7: they begin with 48 bits of Unix milliseconds."""
    return int(id[:8] + id[9:13], 16) // 60_000


def read_stored(home: Home) -> Stored:
    with psycopg.connect(home.database_url) as connection:

        def rows(query: LiteralString) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        events = rows("SELECT id::text, key, coalesce(type, ''), payload::text FROM event")
        dead = rows("SELECT id::text, key, coalesce(type, ''), payload FROM dead_letter")
        rollups = rows("SELECT extract(epoch FROM minute)::int / 60, type, events, duplicates, dead FROM rollup_minute")
        return Stored(
            events=[_row(*row) for row in events],
            dead=[_row(*row) for row in dead],
            duplicates=dict(rows("SELECT id::text, original::text FROM duplicate")),
            claims=dict(rows("SELECT key, event_id::text FROM event_key")),
            rollups={(minute, type_): (counts[0], counts[1], counts[2]) for minute, type_, *counts in rollups},
            events_in_ledger=rows("SELECT coalesce(sum(events), 0)::bigint FROM flushed_chunk")[0][0],
            buffer_keys=read_buffer_keys(home),
        )


def _row(id: str, key: str | None, type_: str, payload: str) -> Row:
    try:
        event = json.loads(payload)
    except ValueError:
        event = {}
    return Row(id, key, type_, event.get("run"), event.get("number"))


def read_buffer_keys(home: Home) -> list[str]:
    """Empty when all that was accepted is stored. Raises redis.RedisError when the buffer is away."""
    with redis.Redis.from_url(home.buffer_url, socket_timeout=5) as client:
        names = (name.decode() for name in client.scan_iter("{dh:buf:*", count=1000))
        return sorted(name for name in names if not name.endswith(PUSHED))


def count_unannounced(home: Home) -> int:
    """Events that producers known to the feed pushed, and that have no number yet. Raises redis.RedisError."""
    with (
        redis.Redis.from_url(home.buffer_url, socket_timeout=5) as buffer,
        redis.Redis.from_url(home.broker_url, socket_timeout=5) as broker,
    ):
        pushed: Counter[bytes] = Counter()
        for name in buffer.scan_iter(f"{{dh:buf:*{PUSHED}", count=1000):
            pushed.update({producer: int(count) for producer, count in buffer.hgetall(name).items()})
        known = broker.hgetall("{dh:feed}:producers")
    return sum(
        count - int(known[producer]) - int(known.get(producer + b":lost", 0))
        for producer, count in pushed.items()
        if producer in known
    )
