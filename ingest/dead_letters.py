"""Dead letters: giving them another try, or giving them up."""

import base64
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from ingest import chunks
from ingest.models import DeadLetter
from ingest.rows import Row, rows_of
from ingest.writer import Written, write_rows

REPLAY_BATCH = 1000


def replay(letters: "QuerySet[DeadLetter]") -> Written:
    """Try to store these again; each keeps its id, and what is refused again is a dead letter again.

    Letter and event change places in one transaction for each REPLAY_BATCH, so a replay that is cut short loses and
    doubles nothing.
    """
    ids = list(letters.order_by("id").values_list("id", flat=True))
    total = Written()
    for start in range(0, len(ids), REPLAY_BATCH):
        written = _replay_batch(DeadLetter.objects.filter(id__in=ids[start : start + REPLAY_BATCH]))
        total.stored += written.stored
        total.duplicates += written.duplicates
        total.dead += written.dead
    return total


def _replay_batch(letters: "QuerySet[DeadLetter]") -> Written:
    with transaction.atomic():
        taken = list(letters.select_for_update(skip_locked=True))
        rows = [row for letter in taken for row in _rows(letter)]
        were_dead = [row for letter in taken if letter.stream_id is not None for row in _rows(letter)]
        replayed = [letter for letter in taken if _is_readable(letter)]
        DeadLetter.objects.filter(id__in=[letter.id for letter in replayed]).delete()
        written = write_rows(rows, were_dead)
        written.dead += len(taken) - len(replayed)
        _count_attempts(taken)
    return written


def discard(letters: "QuerySet[DeadLetter]") -> int:
    """Give these up for good; how many."""
    return letters.delete()[0]


def _rows(letter: DeadLetter) -> Iterable[Row]:
    if letter.stream_id is None:
        return rows_of(letter.id, _batches(letter)) if _is_readable(letter) else []
    return [
        Row(
            id=letter.id.hex,
            received_at=letter.received_at.isoformat(sep=" "),
            time=letter.time.isoformat() if letter.time else None,
            stream_id=letter.stream_id,
            key=letter.key,
            type=letter.type,
            payload=letter.payload.encode(),
        )
    ]


def _is_readable(letter: DeadLetter) -> bool:
    """False for a whole chunk that still cannot be decoded."""
    if letter.stream_id is not None:
        return True
    try:
        _batches(letter)
    except (chunks.UndecodableChunk, ValueError):
        return False
    return True


def _batches(letter: DeadLetter) -> chunks.Batches:
    return chunks.decode(base64.b64decode(letter.payload))


def _count_attempts(taken: Iterable[DeadLetter]) -> None:
    attempts = {letter.id: letter.attempts + 1 for letter in taken}
    again = list(DeadLetter.objects.filter(id__in=attempts))
    for letter in again:
        letter.attempts = attempts[letter.id]
    DeadLetter.objects.bulk_update(again, ["attempts"])
