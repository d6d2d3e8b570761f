"""Records on their way into the table: the first of a source are copied there, others staged beside it and merged."""

from collections.abc import Iterator, Sequence
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

# A table made in this transaction is truncated in place, at next to no cost.
CREATE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_record (
    place integer, key text, value text, hash bytea, starts_at timestamptz, ends_at timestamptz
) ON COMMIT DROP;
TRUNCATE staged_record
"""

COPY_RECORDS = """
COPY record (key, value, hash, starts_at, ends_at, source_id, created_at, updated_at, run_id) FROM STDIN
"""
COPY_STAGED = "COPY staged_record (key, value, hash, starts_at, ends_at, place) FROM STDIN"

HAS_RECORDS = "SELECT EXISTS (SELECT FROM record WHERE {of_source})"

# Each row looks its record up by source and key. Other indexes begin with the source too, and while the planner takes
# it for nearly empty (statistics are older than its records, or were made while these were not committed) they cost it
# no more, though all records of the source are read for each row. So the order asked for is that of the right index,
# and whatever would sort is switched off. What is the same already is neither locked nor written.
MERGE = """
SET LOCAL enable_sort = off;
SET LOCAL enable_incremental_sort = off;
WITH fresh AS (
    SELECT staged.*, old.run_id AS old_run_id FROM staged_record AS staged
    LEFT JOIN LATERAL (
        SELECT source_id, key, hash, starts_at, ends_at, run_id FROM record
        WHERE {from_key} ORDER BY source_id, key LIMIT 1
    ) AS old ON old.source_id IS NOT DISTINCT FROM %(source_id)s AND old.key = staged.key
    WHERE (old.hash, old.starts_at, old.ends_at) IS DISTINCT FROM (staged.hash, staged.starts_at, staged.ends_at)
), loaded AS (
    INSERT INTO record AS old (source_id, key, value, hash, starts_at, ends_at, created_at, updated_at, run_id)
    SELECT %(source_id)s, key, value::jsonb, hash, starts_at, ends_at, %(now)s, %(now)s, %(run_id)s
    FROM fresh ORDER BY place
    ON CONFLICT (source_id, key) DO UPDATE SET value = excluded.value, hash = excluded.hash,
        starts_at = excluded.starts_at, ends_at = excluded.ends_at,
        updated_at = excluded.updated_at, run_id = excluded.run_id
    WHERE (old.hash, old.starts_at, old.ends_at)
        IS DISTINCT FROM (excluded.hash, excluded.starts_at, excluded.ends_at)
    RETURNING key, xmax = 0 AS inserted
)
SELECT (SELECT count(*) FROM staged_record), count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted),
    (SELECT count(*) FROM fresh WHERE old_run_id = %(run_id)s),
    ARRAY(SELECT key FROM loaded WHERE inserted LIMIT %(shown)s),
    ARRAY(SELECT key FROM loaded WHERE NOT inserted LIMIT %(shown)s)
FROM loaded;
SET LOCAL enable_sort TO DEFAULT;
SET LOCAL enable_incremental_sort TO DEFAULT
"""


class Entry(NamedTuple):
    """One record to be. A run has tens of thousands of them at hand, so nothing stands here twice."""

    key: str
    line: bytes

    @property
    def value(self) -> bytes:
        """JSON text."""
        return self.line.split(b"\t", 2)[1].replace(b"\\\\", b"\\")


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
        self._merge_statements = MERGE.format(from_key=from_key(source_id))
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
        end = f"{source_id}\t{now.isoformat()}\t{now.isoformat()}\t{self._run_id or NULL}\n".encode()
        with transaction.atomic(using=self._connection.alias):
            self._copy(COPY_RECORDS, b"".join([part for entry in entries for part in (entry.line, end)]))
        keys = [entry.key for entry in entries[: settings.NOTIFY_MAX_EVENTS]]
        return Merged(len(entries), len(entries), 0, 0, keys, [])

    def _merge(self, entries: Sequence[Entry], now: datetime) -> Merged:
        if not self._is_clear:
            self._clear()
        self._is_clear = False
        self._copy(COPY_STAGED, b"".join([b"%b%d\n" % (entry.line, place) for place, entry in enumerate(entries)]))
        values = {
            "source_id": self._source_id,
            "run_id": self._run_id,
            "now": now,
            "shown": settings.NOTIFY_MAX_EVENTS,
        }
        with self._connection.cursor() as cursor:
            cursor.execute(self._merge_statements, values)
            cursor.nextset()
            cursor.nextset()
            return Merged(*cursor.fetchone())

    def _clear(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(CREATE)
        self._is_clear = True

    def _copy(self, statement: str, lines: bytes) -> None:
        with self._connection.cursor() as cursor, self._connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.write(lines)


def of_source(source_id: int | None) -> str:
    return "source_id IS NULL" if source_id is None else "source_id = %(source_id)s"


def from_key(source_id: int | None) -> str:
    """Records of which the first, by source and key, is that of the staged key, if there is one."""
    if source_id is None:
        return "source_id IS NULL AND key >= staged.key"
    return "(source_id, key) >= (%(source_id)s, staged.key)"


def lines(
    keys: Sequence[str], values: Sequence[bytes], hashes: Sequence[bytes], times: Sequence[str | None]
) -> Iterator[bytes]:
    """Records in PostgreSQL's COPY text format, as far as their rows tell; `times`: a start and an end of each."""
    starts = iter(times)
    for key, value, hash, starts_at, ends_at in zip(keys, values, hashes, starts, starts, strict=True):
        text = value.replace(b"\\", b"\\\\") if b"\\" in value else value  # JSON has no other character to escape
        end = f"\t\\\\x{hash.hex()}\t{starts_at or NULL}\t{ends_at or NULL}\t"
        yield f"{copy_field(key)}\t".encode() + text + end.encode()
