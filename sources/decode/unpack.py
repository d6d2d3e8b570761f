"""From a body to the stream of bytes that a decoder reads: gzip and zip taken off once, bytes and seconds bounded."""

import gzip
import io
import zlib
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO

from sources.bodies import Body
from sources.decode.content import Content
from sources.decode.packed import Packed
from sources.decode.sniff import GZIP, SUFFIXES, refuse_foreign, suffix_of
from sources.definition import Decode, RunLimits
from sources.errors import LimitExceeded, Undecodable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 1_048_576
_PACKED_TYPES = ("application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed")

Read = Callable[[int], bytes]


def unpack(body: Body, spec: Decode, limits: RunLimits) -> Content:
    """Raises Undecodable for archives that are broken, encrypted, nested, or leave open which member is meant."""
    body.file.seek(0)
    head = body.file.read(64)
    body.file.seek(0)
    read: Read = body.file.read
    name, is_packed = body.name, True
    if head.startswith(GZIP):
        read, name = _gunzip(body.file), name.removesuffix(".gz")
    elif Packed.is_zip(body.file):
        read, name = _member(Packed(body.file), spec)
    else:
        refuse_foreign(head)
        is_packed = False
    stream: io.BufferedReader = io.BufferedReader(_Bounded(read, limits), BUFFER_BYTES)
    if is_packed and stream.peek(1).startswith((GZIP, b"PK\x03\x04")):
        raise Undecodable("This archive holds another archive; provide what is in it packed once.")
    content_type = body.content_type.partition(";")[0].strip().lower()
    return Content(stream, "" if content_type in _PACKED_TYPES else content_type, body.charset, name)


class _Bounded(io.RawIOBase):
    def __init__(self, read: Read, limits: RunLimits) -> None:
        self._read = read
        self._limits = limits
        self._left = limits.bytes
        self._deadline = monotonic() + limits.seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        data = self._read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise LimitExceeded(f"Unpacked, this has more than {self._limits.bytes:,} bytes: see limits.bytes.")
        if monotonic() > self._deadline:
            raise LimitExceeded(f"Decoding took longer than {self._limits.seconds:g} seconds: see limits.seconds.")
        view[: len(data)] = data
        return len(data)


def _gunzip(file: BinaryIO) -> Read:
    unpacked = gzip.GzipFile(fileobj=file, mode="rb")

    def read(size: int) -> bytes:
        try:
            return unpacked.read(size)
        except EOFError:
            raise Undecodable("The gzip file is cut off; get it again.") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise Undecodable(f"The gzip file is broken: {error}.") from None

    return read


def _member(archive: Packed, spec: Decode) -> tuple[Read, str]:
    known = SUFFIXES if spec.format == "auto" else {k: v for k, v in SUFFIXES.items() if v == spec.format}
    members = archive.members
    if len(members) != 1:
        members = [member for member in members if suffix_of(member.filename) in known]
    if len(members) != 1:
        names = ", ".join(repr(member.filename) for member in archive.members[:20]) or "nothing"
        raise Undecodable(f"The zip archive should have one file to read, but has: {names}.")
    return archive.reader(members[0]), members[0].filename.rpartition("/")[2]
