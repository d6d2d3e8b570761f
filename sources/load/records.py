"""Rows as records: the current value of each key of a source."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import orjson
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ingest.fields import read_time
from ingest.writer import is_data_error
from sources.definition import Replace, Upsert
from sources.errors import RowRejected
from sources.keys import make_key
from sources.load import values
from sources.load.changes import Change, Changes
from sources.load.counts import Counts
from sources.load.staging import Entry, Merged, Staging
from sources.paths import getter
from sources.rows import Row

Time = datetime | str | None
TimeReader = Callable[[Row], Time]
Store = Callable[[datetime], Counts]


class Upserter:
    """Loads rows inside transactions of the caller: they stand or fall with what else is committed there.

    A record is written when the content of its row, or one of its times, is not what it was. Of several rows with one
    key the last counts, within a batch and in a run; of what a run changed more than once, the first change is
    counted as inserted or updated and the others as superseded. `starts_at` and `ends_at` of a record are None for
    what is no time: datetime, ISO 8601 text (without a zone: UTC) or Unix seconds.

    Batches of some thousand rows are fastest; nothing is kept from batch to batch. After an error that `load` raises,
    or a rollback, make a new one.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        source_id: int | None,
        run_id: UUID | None,
        spec: Upsert | Replace,
        changes: Changes | None = None,
    ) -> None:
        """`changes` are told what changes. Raises BadDefinition."""
        self._connection = connection
        self._staging = Staging(connection, source_id, run_id)
        self._key = make_key(spec.key)
        self._starts_at, self._ends_at = _time_reader(spec.starts_at), _time_reader(spec.ends_at)
        self._changes = changes

    def load(self, rows: Iterable[Row], now: datetime) -> Counts:
        """Raises django.db.Error where not the data is at fault."""
        return self.prepare(rows)(now)

    def prepare(self, rows: Iterable[Row], most_bytes: int | None = None) -> Store:
        """Rows made ready, as may be done beside the loading of others; call what is given to load them.

        It takes rows until they have so many bytes, and keeps no row.
        """
        counts = Counts()
        entries = self._entries(rows, counts, most_bytes or 1 << 62)
        latest = {entry.key: entry for entry in entries}
        counts.superseded = len(entries) - len(latest)
        return partial(self._load, sorted(latest.values()), counts)

    def _load(self, entries: Sequence[Entry], counts: Counts, now: datetime) -> Counts:
        if entries:
            self._staging.prepare()
            self._store(entries, now, counts)
        return counts

    def finish(self, now: datetime) -> Counts:
        """Call after the last batch, inside the transaction."""
        return Counts()

    def committed(self) -> None:
        """Call after each commit: tells the live feed."""
        if self._changes is not None:
            self._changes.announce()

    def _entries(self, rows: Iterable[Row], counts: Counts, most_bytes: int) -> list[Entry]:
        key, starts_at, ends_at, encode = self._key, self._starts_at, self._ends_at, values.encode_and_hash
        keys: list[str] = []
        texts: list[bytes] = []
        hashes: list[bytes] = []
        times: list[Time] = []  # a start and an end of each
        size = 0
        for row in rows:
            try:
                text, hash = encode(row)
                keys.append(key(row))
            except RowRejected as rejection:
                counts.reject(row, rejection)
                continue
            texts.append(text)
            hashes.append(hash)
            times += (starts_at(row), ends_at(row))
            size += len(text)
            if size >= most_bytes:
                break
        starts, ends = _texts(times)
        entries = list(map(Entry, keys, texts, hashes, starts, ends))
        refused = values.refusals(texts, values.limits())
        for place, refusal in refused.items():
            counts.reject(values.row_of(texts[place]), refusal)
        return [entry for place, entry in enumerate(entries) if place not in refused] if refused else entries

    def _store(self, entries: Sequence[Entry], now: datetime, counts: Counts) -> None:
        """Those that PostgreSQL refuses are found by bisection under savepoints, and the good ones stored."""
        try:
            with transaction.atomic(using=self._connection.alias):
                merged = self._merge(entries, now)
        except DatabaseError as error:
            if not is_data_error(error):
                raise
            if len(entries) > 1:
                middle = len(entries) // 2
                for half in (entries[:middle], entries[middle:]):
                    self._store(half, now, counts)
            else:
                refusal = RowRejected("refused_by_database", str(error).partition("\n")[0])
                counts.reject(values.row_of(entries[0].value), refusal)
            return
        again = min(merged.again, merged.changed)
        counts.inserted += merged.inserted
        counts.updated += merged.changed - again
        counts.superseded += again
        counts.unchanged += merged.stored - merged.inserted - merged.changed
        self._note(merged, entries)

    def _merge(self, entries: Sequence[Entry], now: datetime) -> Merged:
        return self._staging.store(entries, now)

    def _note(self, merged: Merged, entries: Sequence[Entry]) -> None:
        if self._changes is None or not merged.inserted + merged.changed:
            return
        by_key = {entry.key: entry for entry in entries}
        inserted = [Change("inserted", key, by_key[key].value) for key in merged.inserted_keys]
        updated = [Change("updated", key, by_key[key].value) for key in merged.changed_keys]
        self._changes.note({"inserted": merged.inserted, "updated": merged.changed}, inserted + updated)


def _time_reader(path: str) -> TimeReader:
    if not path:
        return lambda row: None
    get = getter(path)

    def read(row: Row) -> Time:
        value = get(row)
        return _in_utc(value) if isinstance(value, datetime) else read_time(value)

    return read


def _in_utc(time: datetime) -> datetime | None:
    if time.tzinfo is UTC:
        return time
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _texts(times: list[Time]) -> tuple[list[str | None], list[str | None]]:
    """Starts and ends, all at once: formatting one by one would cost as much as all else."""
    texts: list[str | None] = orjson.loads(orjson.dumps(times))
    return texts[::2], texts[1::2]
