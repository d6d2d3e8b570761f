"""What became of an accepted event."""

from typing import Any
from uuid import UUID

import redis

from access.models import Scope
from access.principals import Principal
from ingest import buffer, chunks, reading
from ingest.errors import BufferUnreachable
from ingest.models import DeadLetter, Duplicate


def receipt(id: UUID, principal: Principal) -> dict[str, Any] | None:
    """The event's id and status (`buffered`, `stored` or `dead`), and what the principal may see of it; None when
    unknown.

    The buffer is asked first and the database after it, so that an event on its way from one to the other is seen.
    Raises BufferUnreachable.
    """
    if not chunks.is_id(id):
        return None
    chunk_id, place = chunks.chunk_of(id)
    try:
        buffered = place < buffer.waiting_events(chunk_id)
    except redis.RedisError as error:
        raise BufferUnreachable("The buffer cannot be asked now.", retry_after_seconds=1) from error
    return _stored(id, principal) or _dead(id, principal) or ({"id": id, "status": "buffered"} if buffered else None)


def _stored(id: UUID, principal: Principal) -> dict[str, Any] | None:
    duplicate = Duplicate.objects.filter(id=id).first()
    event = reading.read_event(duplicate.original if duplicate else id)
    if event is None or not _allowed(principal, event.stream.name):
        return None
    shown = reading.as_dict(event) if principal.may(Scope.READ) else {}
    answer = {**shown, "id": id, "status": "stored"}
    return {**answer, "duplicate_of": duplicate.original} if duplicate else answer


def _dead(id: UUID, principal: Principal) -> dict[str, Any] | None:
    letter = DeadLetter.objects.select_related("stream").filter(id=id).first()
    if letter is None or (letter.stream and not _allowed(principal, letter.stream.name)):
        return None
    return {"id": id, "status": "dead", "reason": letter.reason, "detail": letter.detail}


def _allowed(principal: Principal, stream: str) -> bool:
    return principal.may(Scope.READ, stream=stream) or principal.may(Scope.INGEST, stream=stream)
