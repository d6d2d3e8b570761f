"""Records on their way into the table: the first of a source are copied there, others compared with what is there.

Of these the database first gets what tells whether a record would change: key, hash and times. Values follow for those
that do, so rows that come again unchanged are neither written nor sent.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ingest.rows import NULL, copy_field
from ingest.writer import is_data_error

LOCK_CLASS = 0x64687263  # "dhrc": any number, so long as it is ours
WITHOUT_SOURCE = 0
ARRAYS_SINCE = 170_000  # the version of PostgreSQL that follows an index's order while it looks up an array

# A table made in this transaction is truncated in place, at next to no cost.
CREATE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_record (
    place integer, key text, value text, hash bytea, starts_at timestamptz, ends_at timestamptz
) ON COMMIT DROP;
TRUNCATE staged_record
"""

COPY_RECORDS = """
COPY record (key, hash, starts_at, ends_at, source_id, created_at, updated_at, run_id, value) FROM STDIN
"""
COPY_MARKS = "COPY staged_record (key, hash, starts_at, ends_at, place) FROM STDIN"
COPY_STAGED = "COPY staged_record (key, hash, starts_at, ends_at, place, value) FROM STDIN"

HAS_RECORDS = "SELECT EXISTS (SELECT FROM record WHERE {of_source})"

# Records are looked up by source and key. Other indexes begin with the source too, and while the planner takes it for
# nearly empty (statistics are older than its records, or were made while these were not committed) they cost it no
# more, though all records of the source are read for each batch. So the order asked for is that of the right index, and
# whatever would sort is switched off; so are loops over the batch for each record. What is the same is not locked.
SORTS = ("enable_sort", "enable_incremental_sort")
COMPARE = """
SELECT coalesce(array_agg(staged.place), '{{}}'), count(*) FILTER (WHERE old.run_id = %(run_id)s)
FROM staged_record AS staged LEFT JOIN {old}
WHERE (old.hash, old.starts_at, old.ends_at) IS DISTINCT FROM (staged.hash, staged.starts_at, staged.ends_at)
"""
OLD_BY_ARRAY = """(
    SELECT key, hash, starts_at, ends_at, run_id FROM record
    WHERE {of_source} AND key = ANY (ARRAY(SELECT key FROM staged_record)) ORDER BY source_id, key
) AS old USING (key)"""
OLD_ONE_BY_ONE = """LATERAL (
    SELECT source_id, key, hash, starts_at, ends_at, run_id FROM record
    WHERE {from_key} ORDER BY source_id, key LIMIT 1
) AS old ON old.source_id IS NOT DISTINCT FROM %(source_id)s AND old.key = staged.key"""

STORE = """
WITH loaded AS (
    INSERT INTO record AS old (source_id, key, value, hash, starts_at, ends_at, created_at, updated_at, run_id)
    SELECT %(source_id)s, key, value::jsonb, hash, starts_at, ends_at, %(now)s, %(now)s, %(run_id)s
    FROM staged_record WHERE value IS NOT NULL ORDER BY place
    ON CONFLICT (source_id, key) DO UPDATE SET value = excluded.value, hash = excluded.hash,
        starts_at = excluded.starts_at, ends_at = excluded.ends_at,
        updated_at = excluded.updated_at, run_id = excluded.run_id
    WHERE (old.hash, old.starts_at, old.ends_at)
        IS DISTINCT FROM (excluded.hash, excluded.starts_at, excluded.ends_at)
    RETURNING key, xmax = 0 AS inserted
)
SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted),
    ARRAY(SELECT key FROM loaded WHERE inserted LIMIT %(shown)s),
    ARRAY(SELECT key FROM loaded WHERE NOT inserted LIMIT %(shown)s)
FROM loaded
"""


class Entry(NamedTuple):
    """One record to be: `value` is JSON text, times are ISO 8601."""

    key: str
    value: bytes
    hash: bytes
    starts_at: str | None
    ends_at: str | None


class Merged(NamedTuple):
    """Of those `stored`. `again`: of those changed, how many this run had changed before.

    Keys: at most NOTIFY_MAX_EVENTS of each kind.
    """

    stored: int
    inserted: int
    changed: int
    again: int
    inserted_keys: Sequence[str]
    changed_keys: Sequence[str]


class Staging:
    """For the records of one source, in transactions of the caller; of one source they follow one another."""

    def __init__(self, connection: BaseDatabaseWrapper, source_id: int | None, run_id: UUID | None) -> None:
        self._connection = connection
        self._source_id = source_id
        self._run_id = run_id
        self._is_first: bool | None = None
        self._is_clear = False

    def lock(self) -> None:
        """Wait until other transactions that load records of this source have ended."""
        key = (self._source_id or WITHOUT_SOURCE) % (1 << 31)
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, key])

    def prepare(self) -> None:
        """Lock and make room, before the savepoints of a batch: inside one, a TRUNCATE makes new files."""
        self.lock()
        if self._is_first is None:
            self._is_first = not self._has_records()
        if not self._is_first:
            self._clear()

    def store(self, entries: Sequence[Entry], now: datetime) -> Merged:
        """Insert and update what differs; of each key there is one entry. Raises django.db.Error."""
        if self._is_first:
            try:
                return self._insert(entries, now)
            except DatabaseError as error:
                if not is_data_error(error):
                    raise
                self._is_first = False  # a key came again, most likely
        return self._merge(entries, now)

    def _has_records(self) -> bool:
        with self._connection.cursor() as cursor:
            cursor.execute(HAS_RECORDS.format(of_source=of_source(self._source_id)), {"source_id": self._source_id})
            return bool(cursor.fetchone()[0])

    def _insert(self, entries: Sequence[Entry], now: datetime) -> Merged:
        source_id = NULL if self._source_id is None else self._source_id
        common = f"{source_id}\t{now.isoformat()}\t{now.isoformat()}\t{self._run_id or NULL}\t"
        with transaction.atomic(using=self._connection.alias):
            self._copy(COPY_RECORDS, [f"{mark(entry)}{common}".encode() + value_field(entry) for entry in entries])
        keys = [entry.key for entry in entries[: settings.NOTIFY_MAX_EVENTS]]
        return Merged(len(entries), len(entries), 0, 0, keys, [])

    def _merge(self, entries: Sequence[Entry], now: datetime) -> Merged:
        if not self._is_clear:
            self._clear()
        self._is_clear = False
        differing, again = self._compare(entries)
        if not differing:
            return Merged(len(entries), 0, 0, 0, [], [])
        self._copy(
            COPY_STAGED,
            [f"{mark(entries[place])}{place}\t".encode() + value_field(entries[place]) for place in differing],
        )
        values = {
            "source_id": self._source_id,
            "run_id": self._run_id,
            "now": now,
            "shown": settings.NOTIFY_MAX_EVENTS,
        }
        with self._connection.cursor() as cursor:
            cursor.execute(STORE, values)
            inserted, changed, inserted_keys, changed_keys = cursor.fetchone()
        return Merged(len(entries), inserted, changed, again, inserted_keys, changed_keys)

    def _compare(self, entries: Sequence[Entry]) -> tuple[list[int], int]:
        """The places of those that are new or differ, and how many of them this run had written before."""
        marks = "".join([f"{mark(entry)}{place}\n" for place, entry in enumerate(entries)])
        self._copy(COPY_MARKS, [marks.encode()])
        with self._connection.cursor() as cursor:
            statements = compare_statements(self._source_id, cursor.connection.info.server_version)
            cursor.execute(statements, {"source_id": self._source_id, "run_id": self._run_id})
            while cursor.description is None:  # of what switches off
                cursor.nextset()
            places, again = cursor.fetchone()
        return places, again

    def _clear(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(CREATE)
        self._is_clear = True

    def _copy(self, statement: str, lines: Iterable[bytes]) -> None:
        with self._connection.cursor() as cursor, self._connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.write(b"".join(lines))


def of_source(source_id: int | None) -> str:
    return "source_id IS NULL" if source_id is None else "source_id = %(source_id)s"


def from_key(source_id: int | None) -> str:
    """Records of which the first, by source and key, is that of the staged key, if there is one."""
    if source_id is None:
        return "source_id IS NULL AND key >= staged.key"
    return "(source_id, key) >= (%(source_id)s, staged.key)"


def compare_statements(source_id: int | None, version: int) -> str:
    """For this version of PostgreSQL, as libpq numbers it. All at once costs a fifth of one by one."""
    at_once = version >= ARRAYS_SINCE
    off = (*SORTS, "enable_nestloop") if at_once else SORTS
    old = (OLD_BY_ARRAY if at_once else OLD_ONE_BY_ONE).format(
        of_source=of_source(source_id), from_key=from_key(source_id)
    )
    switched_off = [f"SET LOCAL {name} = off" for name in off]
    return ";\n".join([*switched_off, COMPARE.format(old=old), *(f"SET LOCAL {name} TO DEFAULT" for name in off)])


# PostgreSQL's COPY text format


def mark(entry: Entry) -> str:
    """What tells whether a record would change: fields, each with the tab after it."""
    key, _, hash, starts_at, ends_at = entry
    return f"{copy_field(key)}\t\\\\x{hash.hex()}\t{starts_at or NULL}\t{ends_at or NULL}\t"


def value_field(entry: Entry) -> bytes:
    """The last of a line."""
    value = entry.value
    if b"\\" in value:  # JSON has no other character to escape
        value = value.replace(b"\\", b"\\\\")
    return value + b"\n"
