"""Dead letters: giving them another try, or giving them up."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from ingest import chunks, rollups
from ingest.envelope import Event, StreamRules, parse
from ingest.errors import BadRequest
from ingest.models import DeadLetter
from ingest.payload import Limits
from ingest.rows import Row, rows_of
from ingest.streams import rules_of
from ingest.writer import Written, write_rows

REPLAY_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """Dead letters of one stream (None: of chunks that could not be read) and one reason."""

    stream: str | None
    reason: str
    count: int
    first_failed_at: datetime
    last_failed_at: datetime


def groups(letters: "QuerySet[DeadLetter]", limit: int) -> list[Group]:
    """The largest groups."""
    found = letters.order_by().values_list("stream__name", "reason")
    counted = found.annotate(count=Count("pk"), first=Min("failed_at"), last=Max("failed_at"))
    return [Group(*row) for row in counted.order_by("-count", "stream__name", "reason")[:limit]]


def replay(letters: "QuerySet[DeadLetter]", limit: int | None = None) -> Written:
    """Try to store these again, the oldest first; each keeps its id, and what is refused again is a dead letter again,
    with a new `failed_at`.

    Letter and event change places in one transaction for each REPLAY_BATCH, so a replay that is cut short loses and
    doubles nothing.
    """
    ids = list(letters.order_by("id").values_list("id", flat=True)[:limit])
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


def replay_edited(id: UUID, payload: bytes) -> Written:
    """Store this payload in place of the letter's, as `replay` would; all zeros when it is being replayed elsewhere.

    The payload passes what an event passes at ingestion. Raises BadRequest for one that does not.
    """
    with transaction.atomic():
        letter = DeadLetter.objects.select_for_update(skip_locked=True).filter(id=id).first()
        if letter is None:
            return Written()
        row, were_dead = _edited_row(letter, payload), list(_rows(letter))
        DeadLetter.objects.filter(id=id).delete()
        written = write_rows([row], were_dead)
        _count_attempts([letter])
    return written


def _edited_row(letter: DeadLetter, payload: bytes) -> Row:
    """Key, type and time stay as accepted (they may have come from headers) unless the edit changed what they say."""
    if letter.stream is None:
        raise BadRequest("not_editable", "This letter is a whole chunk that could not be read, not one event.")
    rules = rules_of(letter.stream)
    *after, stored = _event(payload, rules)
    [row] = _rows(letter)
    try:
        before = _event(row.payload, StreamRules(rules.key_path, rules.time_path, rules.type_path))[:3]
    except BadRequest:
        before = (None, None, None)
    kept = (row.key, row.type, row.time)
    key, type_, time = (old if new == was else new for old, was, new in zip(kept, before, after, strict=True))
    return row._replace(key=key, type=type_, time=time, payload=stored)


def _event(payload: bytes, rules: StreamRules) -> Event:
    """Raises BadRequest."""
    parsed = parse(b"[%b]" % payload, "application/json", {}, rules, Limits(max_event_bytes=settings.MAX_EVENT_BYTES))
    if parsed.rejections:
        raise BadRequest(parsed.rejections[0].code, parsed.rejections[0].detail)
    [event] = parsed.events
    return event


@transaction.atomic
def discard(letters: "QuerySet[DeadLetter]", limit: int | None = None) -> int:
    """Give these up for good, the oldest first; how many. They no longer count as dead.

    Those that are being replayed at this moment stay.
    """
    ids = list(letters.order_by("id").values_list("pk", flat=True)[:limit])
    chosen = DeadLetter.objects.select_for_update(skip_locked=True).filter(pk__in=ids)
    taken = list(chosen.values_list("pk", "stream_id", "received_at", "type"))
    DeadLetter.objects.filter(pk__in=[pk for pk, *_ in taken]).delete()
    tally = rollups.Tally()
    for _, stream_id, received_at, type_ in taken:
        if stream_id is not None:  # a chunk that could not be read was never counted
            tally.dead[stream_id, received_at.isoformat(sep=" "), type_ or ""] -= 1
    rollups.add(tally)
    return len(taken)


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
        letter.attempts, letter.failed_at = attempts[letter.id], timezone.now()
    DeadLetter.objects.bulk_update(again, ["attempts", "failed_at"])
