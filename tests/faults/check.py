"""The promise, as a comparison of what was sent with what is stored. Pure: nothing here asks a service."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from tests.faults.evidence import Counts, Row, Sent, Slot, Stored, minute_of


class Problem(NamedTuple):
    kind: str
    subjects: tuple[str, ...]


def compare(sent: Sent, stored: Stored) -> list[Problem]:
    """Whatever is off, each with all its ids, keys or numbers; nothing when the promise was kept."""
    found = [Problem(kind, tuple(check(sent, stored))) for kind, check in CHECKS.items()]
    return [problem for problem in found if problem.subjects]


def lost(sent: Sent, stored: Stored) -> Iterator[str]:
    for id, number in sent.acknowledged.items():
        if stored.standing_for(id) is None:
            yield f"{id} (number {number})"


def mistaken(sent: Sent, stored: Stored) -> Iterator[str]:
    for id, number in sent.acknowledged.items():
        row = stored.standing_for(id)
        if row is not None and row.number != number:
            yield f"{id} was acknowledged as number {number} and holds number {row.number}"


def doubled(sent: Sent, stored: Stored) -> Iterator[str]:
    rows = list(chain(stored.events, stored.dead))
    yield from _repeated("number", (row.number for row in rows if row.number is not None))
    yield from _repeated("key", (row.key for row in stored.events if row.key is not None))
    yield from _repeated("id", chain((row.id for row in rows), stored.duplicates))


def strange(sent: Sent, stored: Stored) -> Iterator[str]:
    acknowledged = set(sent.acknowledged.values())
    for row in chain(stored.events, stored.dead):
        if row.run != sent.run or row.number is None or row.number not in range(sent.total):
            yield row.id
        elif row.key != sent.key_of(row.number):
            yield f"{row.id} has the key {row.key}"
        elif row.key is None and row.number in acknowledged and row.id not in sent.acknowledged:
            yield f"{row.id} was acknowledged under another id (number {row.number})"


def unaccounted(sent: Sent, stored: Stored) -> Iterator[str]:
    """A fault of the client here: numbers that are neither acknowledged nor unknown prove nothing."""
    known = set(sent.acknowledged.values()) | sent.unknown
    return (f"number {number}" for number in range(sent.total) if number not in known)


def orphaned(sent: Sent, stored: Stored) -> Iterator[str]:
    return (f"{id} of {original}" for id, original in stored.duplicates.items() if original not in stored.event_ids)


def dead(sent: Sent, stored: Stored) -> Iterator[str]:
    """Every event sent is sound: an outage must not pass for bad data."""
    return (row.id for row in stored.dead)


def miscounted(sent: Sent, stored: Stored) -> Iterator[str]:
    expected = expected_rollups(stored)
    for slot in sorted(expected.keys() | stored.rollups.keys()):
        due, kept = expected.get(slot, (0, 0, 0)), stored.rollups.get(slot, (0, 0, 0))
        if due != kept:
            yield f"minute {slot[0]}, type {slot[1]!r}: (events, duplicates, dead) are {due}, counted {kept}"


def unledgered(sent: Sent, stored: Stored) -> Iterator[str]:
    rows = len(stored.events) + len(stored.dead) + len(stored.duplicates)
    if rows != stored.events_in_ledger:
        yield f"{rows} rows, {stored.events_in_ledger} events in the ledger"


def misclaimed(sent: Sent, stored: Stored) -> Iterator[str]:
    holders = {row.key: row.id for row in stored.events if row.key is not None}
    return (
        f"{key} is claimed for {stored.claims.get(key)} and held by {holders.get(key)}"
        for key in holders.keys() | stored.claims.keys()
        if holders.get(key) != stored.claims.get(key)
    )


def left(sent: Sent, stored: Stored) -> Iterator[str]:
    return iter(stored.buffer_keys)


def expected_rollups(stored: Stored) -> dict[Slot, Counts]:
    """The counts that the rows speak of. A duplicate has its original's type, in the minute of its own receipt."""
    duplicates = (
        (id, stored.by_id[original]) for id, original in stored.duplicates.items() if original in stored.by_id
    )
    columns = (
        Counter(_slot(row.id, row) for row in stored.events),
        Counter(_slot(id, row) for id, row in duplicates),
        Counter(_slot(row.id, row) for row in stored.dead),
    )
    events, doubles, buried = columns
    return {slot: (events[slot], doubles[slot], buried[slot]) for slot in set().union(*columns)}


def _slot(id: str, row: Row) -> Slot:
    return minute_of(id), row.type


def _repeated(name: str, values: Iterable[int | str]) -> Iterator[str]:
    return (f"{name} {value}: {count} times" for value, count in Counter(values).items() if count > 1)


CHECKS: dict[str, Callable[[Sent, Stored], Iterator[str]]] = {
    "lost": lost,
    "doubled": doubled,
    "acknowledged as another": mistaken,
    "never sent": strange,
    "not accounted for by the client": unaccounted,
    "duplicates of nothing": orphaned,
    "dead letters of sound events": dead,
    "wrong counts per minute": miscounted,
    "rows and ledger differ": unledgered,
    "keys and claims differ": misclaimed,
    "left in the buffer": left,
}
