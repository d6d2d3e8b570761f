"""Storing chunks in PostgreSQL, each exactly once.

One transaction enters the chunks into the ledger, claims the idempotency keys, copies the events, counts them, and
keeps as dead letters those that PostgreSQL refuses. A refusal is found by bisection under savepoints: with b bad
among n events it costs about b·log2(n) further COPYs, and the good ones are stored. Whatever is not the data's fault
(no connection, no disk, a dead server, a lock) is raised, and nothing of the transaction stays.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone

from ingest import chunks, ledger, rollups
from ingest.models import DeadLetter
from ingest.rows import COLUMNS, Row, copy_lines, rows_of

# SQLSTATE classes that speak of the data: data exception, integrity violation, program limit exceeded.
DATA_ERRORS = ("22", "23", "54")
COPY_ROWS = 2000


@dataclass(slots=True)
class Written:
    """What one call did. `committed`: ids of all chunks given, which may leave the buffer after the commit."""

    committed: list[UUID] = field(default_factory=list)
    stored: int = 0
    duplicates: int = 0
    dead: int = 0


def write_chunks(waiting: Sequence[bytes]) -> Written:
    """Store what is new in these chunks.

    Raises django.db.Error when the database cannot do it now; then nothing was stored.
    """
    decoded = {chunks.id_of(chunk): _decode(chunk) for chunk in waiting}
    with transaction.atomic(savepoint=False):
        new = ledger.claim_chunks(
            {id: sum(len(events) for _, events in batches) for id, (batches, _) in decoded.items()}
        )
        rows = [row for id, (batches, _) in decoded.items() if id in new for row in rows_of(id, batches)]
        written = write_rows(rows)
        for id, (_, broken) in decoded.items():
            if broken is not None and id in new:
                _bury_chunk(id, *broken)
    written.committed = list(decoded)
    return written


def write_rows(rows: Sequence[Row], were_dead: Sequence[Row] = ()) -> Written:
    """Store rows inside the caller's transaction, the refused ones as dead letters. `were_dead`: those counted so."""
    tally = rollups.Tally()
    _store(rows, tally)
    written = Written([], tally.events.total(), tally.duplicates.total(), tally.dead.total())
    tally.dead.subtract(rollups.slot_of(row) for row in were_dead)
    rollups.add(tally)
    return written


def _store(rows: Sequence[Row], tally: rollups.Tally) -> None:
    if not rows:
        return
    try:
        with transaction.atomic():
            duplicates = ledger.claim_keys(rows)
            fresh = [row for row in rows if row.id not in duplicates] if duplicates else rows
            copy_events(fresh)
            ledger.record_duplicates(duplicates)
    except DatabaseError as error:
        if not is_data_error(error):
            raise
        if len(rows) == 1:
            bury(rows[0], error)
            tally.dead[rollups.slot_of(rows[0])] += 1
            return
        middle = len(rows) // 2
        _store(rows[:middle], tally)
        _store(rows[middle:], tally)
        return
    tally.count_stored(fresh)
    if duplicates:
        tally.duplicates.update(rollups.slot_of(row) for row in rows if row.id in duplicates)


def copy_events(rows: Sequence[Row]) -> None:
    statement = f"COPY event ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for start in range(0, len(rows), COPY_ROWS):
            copy.write(copy_lines(rows[start : start + COPY_ROWS]))


def is_data_error(error: DatabaseError) -> bool:
    """True when the data was refused, rather than the database being unable to take any."""
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return state[:2] in DATA_ERRORS


def bury(row: Row, error: DatabaseError) -> None:
    """Keep a refused event as a dead letter."""
    diagnostic = getattr(error.__cause__, "diag", None)
    DeadLetter.objects.create(
        id=UUID(row.id),
        stream_id=row.stream_id,
        key=_printable(row.key),
        type=_printable(row.type),
        time=_moment(row.time),
        received_at=chunks.received_at(UUID(row.id)),
        payload=_printable(row.payload.decode("utf-8", errors="backslashreplace")) or "",
        reason=type(error.__cause__).__name__,
        detail=" ".join(filter(None, [str(error).strip(), getattr(diagnostic, "message_detail", None)])),
        failed_at=timezone.now(),
    )


def _printable(text: str | None) -> str | None:
    return text and text.replace("\0", "\\x00")


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _decode(chunk: bytes) -> tuple[chunks.Batches, tuple[bytes, str] | None]:
    try:
        return chunks.decode(chunk), None
    except chunks.UndecodableChunk as error:
        return [], (chunk, str(error))


def _bury_chunk(id: UUID, chunk: bytes, detail: str) -> None:
    """A chunk that cannot be read must not stop those behind it."""
    DeadLetter.objects.create(
        id=id,
        received_at=chunks.received_at(id),
        payload=base64.b64encode(chunk).decode(),
        reason="UndecodableChunk",
        detail=f"{detail}; the payload is the whole chunk in base64",
        failed_at=timezone.now(),
    )
