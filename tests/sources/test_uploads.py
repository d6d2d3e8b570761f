import hashlib
import io
import os
import random
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from sources import uploads
from sources.errors import BadDefinition, LimitExceeded
from sources.models import Source, Upload, UploadPiece
from sources.uploads import PIECE_BYTES, delete, open_body, prune, store

pytestmark = pytest.mark.django_db


class Dribble(io.RawIOBase):
    """Gives fewer bytes than asked for, and may break off."""

    def __init__(self, content: bytes, breaks_at: int | None = None) -> None:
        self._content = io.BytesIO(content)
        self._breaks_at = breaks_at

    def read(self, size: int = -1, /) -> bytes:
        if self._breaks_at is not None and self._content.tell() >= self._breaks_at:
            raise ConnectionResetError("the client hung up")
        return self._content.read(min(size, 100_003))


def old(upload: Upload, age: timedelta = timedelta(days=2)) -> Upload:
    Upload.objects.filter(id=upload.id).update(created_at=timezone.now() - age)
    return upload


def source(name: str, extract: dict[str, Any]) -> Source:
    return Source.objects.create(name=name, definition={"version": 1, "extract": extract})


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 5])
def test_what_is_stored_is_read_back(size: int) -> None:
    content = os.urandom(size)
    upload = store(Dribble(content), "numbers.csv", "text/csv", "ana")
    body = open_body(upload.id)
    assert body.file.read() == content
    assert (body.name, body.content_type) == ("numbers.csv", "text/csv")
    upload.refresh_from_db()
    assert upload.complete
    assert upload.size == size
    assert bytes(upload.sha256 or b"") == hashlib.sha256(content).digest()
    assert UploadPiece.objects.filter(upload=upload).count() == -(-size // PIECE_BYTES)


def test_reading_anywhere_gives_what_stands_there() -> None:
    content = os.urandom(2 * PIECE_BYTES + 1234)
    file = open_body(store(io.BytesIO(content), "x").id).file
    random.seed(5)
    for _ in range(200):
        start, size = random.randrange(len(content) + 10), random.randrange(200_000)
        file.seek(start)
        assert file.read(size) == content[start : start + size]
    assert file.seek(-4, io.SEEK_END) == len(content) - 4
    assert file.read() == content[-4:]


def test_lines_cross_from_piece_to_piece() -> None:
    lines = [b"%d,%s\n" % (number, b"x" * 90) for number in range(30_000)]
    file = open_body(store(io.BytesIO(b"".join(lines)), "x.csv").id).file
    assert list(file) == lines


@pytest.mark.parametrize("breaks_at", [0, 1, 2 * PIECE_BYTES + 1])
def test_an_upload_that_breaks_off_leaves_nothing(breaks_at: int) -> None:
    with pytest.raises(ConnectionResetError):
        store(Dribble(bytes(3 * PIECE_BYTES), breaks_at), "x")
    assert not Upload.objects.exists()
    assert not UploadPiece.objects.exists()


def test_a_file_above_the_limit_leaves_nothing(settings: Settings) -> None:
    settings.SOURCES_MAX_UPLOAD_BYTES = PIECE_BYTES + 10
    assert store(io.BytesIO(bytes(PIECE_BYTES + 10)), "x").complete
    with pytest.raises(LimitExceeded, match=f"more than {PIECE_BYTES + 10} bytes"):
        store(io.BytesIO(bytes(PIECE_BYTES + 11)), "y")
    assert [upload.name for upload in Upload.objects.all()] == ["x"]


def test_all_files_of_one_owner_have_a_limit_together(settings: Settings) -> None:
    settings.UPLOADS_MAX_BYTES_PER_OWNER = 3 * PIECE_BYTES
    first = store(io.BytesIO(bytes(2 * PIECE_BYTES)), "x", created_by="user:1")
    under_way = Upload.objects.create(name="y", created_by="user:1", size=10)
    with pytest.raises(LimitExceeded, match=r"3,145,728 bytes together.*delete datasets and uploads"):
        store(io.BytesIO(bytes(PIECE_BYTES)), "z", created_by="user:1")
    assert store(io.BytesIO(bytes(PIECE_BYTES - 10)), "z", created_by="user:1").complete
    assert store(io.BytesIO(bytes(PIECE_BYTES)), "x", created_by="user:2").complete
    for upload in (first, under_way):
        delete(upload.pk)
    assert store(io.BytesIO(bytes(PIECE_BYTES)), "z", created_by="user:1").complete


@pytest.mark.parametrize("upload_id", ["", "../../etc/passwd", "9d4ff1c0-6f0e-4a6e-8a3c-1d2f3a4b5c6d"])
def test_an_upload_that_is_not_there_is_named(upload_id: str) -> None:
    with pytest.raises(BadDefinition, match="There is no upload"):
        open_body(upload_id)


def test_a_name_that_cannot_be_stored_is_one_that_can() -> None:
    assert store(io.BytesIO(b""), "a\x00b.csv", "\x00").name == "a\N{REPLACEMENT CHARACTER}b.csv"


def test_half_an_upload_is_not_opened() -> None:
    upload = Upload.objects.create(name="x", size=10)
    with pytest.raises(BadDefinition):
        open_body(upload.id)


def test_deleting_takes_the_pieces_along() -> None:
    upload = store(io.BytesIO(bytes(PIECE_BYTES * 2)), "x")
    assert delete(upload.id)
    assert not UploadPiece.objects.exists()
    assert not delete(upload.id)


def test_a_reader_learns_that_the_upload_was_deleted() -> None:
    upload = store(io.BytesIO(bytes(PIECE_BYTES * 2)), "x")
    file = open_body(upload.id).file
    file.read(10)
    delete(upload.id)
    with pytest.raises(BadDefinition, match="was deleted"):
        file.read()


def test_pruning_keeps_what_is_used_or_new() -> None:
    new, file, database, other = kept = [store(io.BytesIO(b"x"), f"kept {number}") for number in range(4)]
    for upload in (file, database, other):
        old(upload)
    old(new, timedelta(hours=23))
    source("file", {"kind": "file", "upload": str(file.id)})
    source("database", {"kind": "sql", "url": f"sqlite:{database.id}", "table": "t"})
    source("web", {"kind": "http", "url": "https://example.org/"})
    old(store(io.BytesIO(b"x"), "unused"))
    old(Upload.objects.create(name="broken off"))
    assert prune(timezone.now(), keep=[other.id]) == 2
    assert set(Upload.objects.values_list("name", flat=True)) == {upload.name for upload in kept}


def test_memory_does_not_grow_with_the_file() -> None:
    class Zeros:
        left = 40 * PIECE_BYTES

        def read(self, size: int, /) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    tracemalloc.start()
    try:
        file = open_body(uploads.store(Zeros(), "x").id).file
        while file.read(1 << 16):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 14 * PIECE_BYTES
