"""The records of a source made exactly what one run brings."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from ingest.ledger import array
from sources.definition import Replace
from sources.errors import LoadFailed, RowRejected
from sources.load.changes import Change, Changes
from sources.load.counts import Counts
from sources.load.records import Upserter
from sources.load.staging import Entry, Merged, of_source
from sources.rows import Rejected

# Not IF NOT EXISTS: were the transaction another than that of the batches before, their records would be deleted.
CREATE = "DROP TABLE IF EXISTS pg_temp.seen_record; CREATE TEMPORARY TABLE seen_record (key text) ON COMMIT DROP"
SEE = "INSERT INTO seen_record SELECT unnest(%s::text[])"
DELETE = """
WITH doomed AS (
    SELECT id FROM record WHERE {of_source} AND NOT EXISTS (SELECT FROM seen_record AS seen WHERE seen.key = record.key)
    ORDER BY key FOR UPDATE
), deleted AS (
    DELETE FROM record USING doomed WHERE record.id = doomed.id RETURNING record.key
)
SELECT count(*), ARRAY(SELECT key FROM deleted LIMIT %(shown)s) FROM deleted
"""


class Replacer(Upserter):
    """As Upserter, all in one transaction; `finish` deletes the source's records that did not come.

    A row that is rejected here and has a key keeps the record that it would have changed: it did come. Of other
    rejected rows nobody knows whose they are, so with one of them nothing is deleted, unless `allow_rejected`.
    """

    spared = 0
    """Rejected rows on whose account nothing was deleted, after `finish`."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        source_id: int | None,
        run_id: UUID | None,
        spec: Replace,
        changes: Changes | None = None,
    ) -> None:
        super().__init__(connection, source_id, run_id, spec, changes)
        self._source_id = source_id
        self._allow_empty, self._allow_rejected = spec.allow_empty, spec.allow_rejected
        self._begun = False
        self._came = self._stored = self._unknown = 0

    def _load(self, entries: Sequence[Entry], counts: Counts, now: datetime) -> Counts:
        """Raises django.db.ProgrammingError in another transaction than the batch before."""
        self._begin()
        self._came += len(entries) + len(counts.rejected)
        super()._load(entries, counts, now)
        kept = list(self._keys_of(counts.rejected))
        self._unknown += len(counts.rejected) - len(kept)
        if kept:
            self._execute(SEE, [array(kept)])
        return counts

    def finish(self, now: datetime, rejected_before: int = 0) -> Counts:
        """`rejected_before`: rows that came, and did not come as far as `load`.

        Raises LoadFailed ("empty_result") when no row was stored. `allow_empty` does not speak of rejected rows.
        """
        self._came += rejected_before
        self._unknown += rejected_before
        if not self._stored and (self._came or not self._allow_empty):
            raise LoadFailed(
                f"{'All rows were rejected' if self._came else 'No rows came'}, and every record of the source would"
                " be deleted. Nothing was changed; if no rows is a right answer, set load.allow_empty.",
                code="empty_result",
            )
        if self._unknown and not self._allow_rejected:
            self.spared = self._unknown
            return Counts()
        self._begin()
        self._staging.lock()
        return self._delete()

    def _begin(self) -> None:
        if not self._begun:
            self._execute(CREATE)
            self._begun = True

    def _delete(self) -> Counts:
        statement = DELETE.format(of_source=of_source(self._source_id))
        with self._connection.cursor() as cursor:
            cursor.execute("ANALYZE seen_record")
            cursor.execute(statement, {"source_id": self._source_id, "shown": settings.NOTIFY_MAX_EVENTS})
            deleted, keys = cursor.fetchone()
        if self._changes is not None and deleted:
            self._changes.note({"deleted": deleted}, [Change("deleted", key, b"null") for key in keys])
        return Counts(deleted=deleted)

    def _merge(self, entries: Sequence[Entry], now: datetime) -> Merged:
        merged = super()._merge(entries, now)
        self._stored += merged.stored
        self._execute(SEE, [array(entry.key for entry in entries)])
        return merged

    def _keys_of(self, rejections: Iterable[Rejected]) -> Iterator[str]:
        for rejected in rejections:
            if isinstance(rejected.row, dict):
                with suppress(RowRejected):
                    yield self._key(rejected.row)

    def _execute(self, statement: str, parameters: Sequence[str] = ()) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
