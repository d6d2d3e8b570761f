"""Counts of each stream, by type and minute and altogether, kept exact by being written in the transaction that stores
the events.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from ingest.rows import Row

OTHER_TYPES = "(other)"
MOST_TYPES = 100
MINUTE_CHARACTERS = len("2026-01-31 12:34")

ALWAYS = ("", OTHER_TYPES)
"""Types that a minute may have besides the MOST_TYPES: none, and the rest."""

Slot = tuple[int, str, str]
"""Stream, time of receipt (or its minute), type."""

Counts = tuple[int, int, int, int]
"""Events, bytes, duplicates, dead."""


@dataclass(slots=True)
class Tally:
    """What one transaction did, by stream, time of receipt and type."""

    events: Counter[Slot] = field(default_factory=Counter)
    bytes: Counter[Slot] = field(default_factory=Counter)
    duplicates: Counter[Slot] = field(default_factory=Counter)
    dead: Counter[Slot] = field(default_factory=Counter)

    def count_stored(self, rows: Sequence[Row]) -> None:
        slots = [slot_of(row) for row in rows]
        self.events.update(slots)
        sizes = self.bytes
        for slot, row in zip(slots, rows, strict=True):
            sizes[slot] += len(row.payload)

    def slots(self) -> list[Slot]:
        return sorted({*self.events, *self.duplicates, *self.dead})


def slot_of(row: Row) -> Slot:
    return row.stream_id, row.received_at, row.type or ""


def add(tally: Tally) -> None:
    """Add to the counts, as the last thing of a transaction: their rows stay locked to its end.

    Rows are locked in one order by all workers, so that none waits for another in a circle. Past MOST_TYPES of a stream
    and minute, further types are counted as OTHER_TYPES; each transaction that is under way at the same time may bring
    as many again.
    """
    sums = _by_minute(tally)
    if sums:
        sums = _folded(sums)
        _add_to_minutes(sums)
        _add_to_totals(sums)


def _by_minute(tally: Tally) -> dict[Slot, Counts]:
    sums: dict[Slot, Counts] = {}
    for slot in tally.slots():
        stream_id, received_at, type_ = slot
        counts = (tally.events[slot], tally.bytes[slot], tally.duplicates[slot], tally.dead[slot])
        _increase(sums, (stream_id, received_at[:MINUTE_CHARACTERS], type_), counts)
    return sums


def _folded(sums: dict[Slot, Counts]) -> dict[Slot, Counts]:
    types = _present_types({(stream_id, minute) for stream_id, minute, type_ in sums if type_ not in ALWAYS})
    folded: dict[Slot, Counts] = {}
    for (stream_id, minute, type_), counts in sums.items():
        present = types[stream_id, minute]
        if type_ not in present and type_ not in ALWAYS:
            if len(present) < MOST_TYPES:
                present.add(type_)
            else:
                type_ = OTHER_TYPES
        _increase(folded, (stream_id, minute, type_), counts)
    return dict(sorted(folded.items()))


def _present_types(minutes: set[tuple[int, str]]) -> defaultdict[tuple[int, str], set[str]]:
    """The types, besides those ALWAYS counted, that these minutes of streams have rows for."""
    types: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    if not minutes:
        return types
    ordered = sorted(minutes)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wanted.place, old.type FROM unnest(%s::bigint[], %s::timestamptz[]) WITH ORDINALITY"
            " AS wanted (stream_id, minute, place) JOIN rollup_minute AS old USING (stream_id, minute)",
            [list(column) for column in zip(*ordered, strict=True)],
        )
        for place, type_ in cursor.fetchall():
            types[ordered[place - 1]].add(type_)
    for present in types.values():
        present.difference_update(ALWAYS)
    return types


def _add_to_minutes(sums: Mapping[Slot, Counts]) -> None:
    columns = [list(column) for column in zip(*((*slot, *counts) for slot, counts in sums.items()), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rollup_minute AS old (stream_id, minute, type, events, bytes, duplicates, dead)"
            " SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[],"
            "  %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (stream_id, minute, type) DO UPDATE SET events = old.events + excluded.events,"
            "  bytes = old.bytes + excluded.bytes, duplicates = old.duplicates + excluded.duplicates,"
            "  dead = old.dead + excluded.dead",
            columns,
        )


def _add_to_totals(sums: Mapping[Slot, Counts]) -> None:
    totals: dict[int, Counts] = {}
    newest: dict[int, str] = {}
    for (stream_id, minute, _), counts in sums.items():
        _increase(totals, stream_id, counts)
        if counts[0] > 0:
            newest[stream_id] = max(minute, newest.get(stream_id, ""))
    rows = ((stream_id, *counts, newest.get(stream_id)) for stream_id, counts in sorted(totals.items()))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rollup_total AS old (stream_id, events, bytes, duplicates, dead, last_minute)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
            "  %s::timestamptz[])"
            " ON CONFLICT (stream_id) DO UPDATE SET events = old.events + excluded.events,"
            "  bytes = old.bytes + excluded.bytes, duplicates = old.duplicates + excluded.duplicates,"
            "  dead = old.dead + excluded.dead, last_minute = greatest(old.last_minute, excluded.last_minute)",
            [list(column) for column in zip(*rows, strict=True)],
        )


def _increase(sums: dict[Any, Counts], key: Any, by: Counts) -> None:
    a, b, c, d = sums.get(key, (0, 0, 0, 0))
    sums[key] = (a + by[0], b + by[1], c + by[2], d + by[3])
