"""Files that somebody sent, kept in the database in pieces, so that every worker reaches them."""

import hashlib
import io
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.db.models import Sum

from access.differences import storable
from sources.bodies import Body
from sources.definition import SQLITE
from sources.errors import BadDefinition, LimitExceeded
from sources.models import Source, Upload, UploadPiece

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES = 1 << 20
UNUSED_FOR = timedelta(days=1)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def store(stream: Readable | None, name: str, content_type: str = "", created_by: str = "") -> Upload:
    """Read the stream to its end and keep it.

    When it breaks off, nothing of it stays. When this process dies, what it left is never opened, and `prune` deletes
    it. Raises LimitExceeded above SOURCES_MAX_UPLOAD_BYTES, and where all that `created_by` has sent is above
    UPLOADS_MAX_GB_PER_OWNER; BadDefinition for a form or without a stream, and what the stream raises.
    """
    shown = storable(name)[-255:]
    if stream is None:
        raise BadDefinition("The file is empty: send it as the body of the request.")
    if content_type.startswith("multipart/"):
        raise BadDefinition("A form was sent: send the file itself as the body, as curl does with --data-binary @file.")
    upload = Upload.objects.create(name=shown, content_type=storable(content_type)[:200], created_by=created_by[:200])
    try:
        _store_pieces(upload, stream)
    except BaseException:
        delete(upload.id)
        raise
    return upload


def _store_pieces(upload: Upload, stream: Readable) -> None:
    most: int = settings.SOURCES_MAX_UPLOAD_BYTES
    digest = hashlib.sha256()
    for number, piece in enumerate(_pieces(stream)):
        upload.size += len(piece)
        if upload.size > most:
            raise LimitExceeded(f"The file has more than {most} bytes, the most that is taken.", "too_many_bytes")
        upload.save(update_fields=["size"])  # so that what is sent at the same time counts too
        _check_all_of(upload.created_by)
        digest.update(piece)
        UploadPiece.objects.create(upload=upload, number=number, data=piece)
    upload.sha256 = digest.digest()
    upload.complete = True
    upload.save(update_fields=["size", "sha256", "complete"])


def _check_all_of(owner: str) -> None:
    most: int = settings.UPLOADS_MAX_BYTES_PER_OWNER
    if (Upload.objects.filter(created_by=owner).aggregate(bytes=Sum("size"))["bytes"] or 0) > most:
        raise LimitExceeded(
            f"With this file yours would have more than {most:,} bytes together, the most that one may have"
            " (UPLOADS_MAX_GB_PER_OWNER): delete datasets and uploads that you no longer need, and send it again.",
            "too_many_bytes",
        )


def _pieces(stream: Readable) -> Iterator[bytes]:
    """All of the same size, but for the last."""
    piece = bytearray()
    while data := stream.read(PIECE_BYTES - len(piece)):
        piece += data
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece[:PIECE_BYTES])
            del piece[:PIECE_BYTES]
    if piece:
        yield bytes(piece)


def open_body(upload_id: uuid.UUID | str) -> Body:
    """Its bytes are fetched as they are read, one piece at a time; the caller closes the file.

    Raises BadDefinition when there is no such upload, or only part of one.
    """
    upload = _complete(upload_id)
    raw = _Pieces(upload)
    return Body(file=io.BufferedReader(raw, 1 << 16), content_type=upload.content_type, name=upload.name)


def _complete(upload_id: uuid.UUID | str) -> Upload:
    try:
        return Upload.objects.get(id=uuid.UUID(str(upload_id)), complete=True)
    except (ValueError, Upload.DoesNotExist):
        raise BadDefinition(
            f"There is no upload {str(upload_id)[:100]!r}, or no longer: send the file again, and put the id of the"
            " answer into extract."
        ) from None


class _Pieces(io.RawIOBase):
    """Keeps the piece read last. Raises BadDefinition when the upload is deleted meanwhile."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._position = 0
        self._number = -1
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._upload.size}[whence]
        if start + offset < 0:
            raise ValueError("a file has no position before its start")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if self._position >= self._upload.size:
            return 0
        target = memoryview(buffer).cast("B")
        number, offset = divmod(self._position, PIECE_BYTES)
        part = self._at(number)[offset : offset + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _at(self, number: int) -> memoryview:
        if number != self._number:
            pieces = UploadPiece.objects.filter(upload=self._upload, number=number)
            data = pieces.values_list("data", flat=True).first()
            if data is None:
                raise BadDefinition(f"The upload {self._upload.id} was deleted while it was read.")
            self._number, self._piece = number, memoryview(data)
        return self._piece


def delete(upload_id: uuid.UUID) -> bool:
    """Whether there was one."""
    return Upload.objects.filter(id=upload_id).delete()[0] > 0


def named_by(extract: Mapping[str, Any]) -> uuid.UUID | None:
    """The id of the upload that a definition reads, a file or an SQLite database, whether it is there or not."""
    url = str(extract.get("url") or "")
    text = url.removeprefix(SQLITE) if url.startswith(SQLITE) else extract.get("upload")
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def used() -> set[uuid.UUID]:
    """The uploads that definitions of sources name."""
    named = Source.objects.values_list("definition__extract__upload", "definition__extract__url")
    ids = {named_by({"upload": upload, "url": url}) for upload, url in named}
    return set(Upload.objects.filter(id__in=[id for id in ids if id]).values_list("id", flat=True))


def prune(now: datetime, keep: Collection[uuid.UUID] = ()) -> int:
    """Delete uploads older than a day that no source uses, and that neither are `kept` nor among `keep`; how many."""
    unused = Upload.objects.filter(created_at__lt=now - UNUSED_FOR, kept=False).exclude(id__in=used().union(keep))
    return sum(delete(upload_id) for upload_id in unused.values_list("id", flat=True))
