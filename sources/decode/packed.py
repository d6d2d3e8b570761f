"""Zip archives from strangers: what is in them, and the members' bytes."""

import sys
import zipfile
import zlib
from collections.abc import Callable
from copy import copy
from typing import BinaryIO, NoReturn, cast

from sources.errors import LimitExceeded, Undecodable

MAX_DIRECTORY_BYTES = 1_048_576
_READ_BYTES = 262_144
_FAILURES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)


class _Cautious:
    """zipfile reads an archive's whole directory at once; this refuses a long one, and ends an endless read."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self._read = file.seek, file.tell, file.read

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise LimitExceeded(f"The zip archive's directory is larger than {MAX_DIRECTORY_BYTES:,} bytes.")
        return self._read(size if size >= 0 else MAX_DIRECTORY_BYTES)


class Packed:
    """Raises Undecodable for what is no readable archive, LimitExceeded for one with far too many members."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._archive = zipfile.ZipFile(cast(BinaryIO, _Cautious(file)))
        except _FAILURES as error:
            _broken(error)
        self.members = [member for member in self._archive.infolist() if _is_content(member)]

    @staticmethod
    def is_zip(file: BinaryIO) -> bool:
        file.seek(0)
        start = file.read(4)
        file.seek(0)
        return start in (b"PK\x03\x04", b"PK\x05\x06")

    @property
    def is_workbook(self) -> bool:
        return any(member.filename.lower() == "xl/workbook.xml" for member in self.members)

    def reader(self, member: zipfile.ZipInfo) -> Callable[[int], bytes]:
        """A `read(size)` for all that the member unpacks to, whatever size the archive states."""
        if member.flag_bits & 1:
            raise Undecodable(f"{member.filename!r} in the zip archive is encrypted: provide it without a password.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Undecodable(f"{member.filename!r} is packed in a rare way; pack it as a usual zip (deflate).")
        unbounded = copy(member)
        unbounded.file_size = sys.maxsize
        try:
            opened = self._archive.open(unbounded)
        except (*_FAILURES, RuntimeError) as error:
            _broken(error)

        def read(size: int) -> bytes:
            try:
                return opened.read(size)
            except _FAILURES as error:
                _broken(error)

        return read

    def check_size(self, limit_bytes: int) -> None:
        """Raises LimitExceeded if all members together unpack to more, whatever the archive states."""
        left = limit_bytes
        for member in self._archive.infolist():
            left -= member.file_size
            if left < 0:
                raise LimitExceeded(f"Unpacked, the archive has more than {limit_bytes:,} bytes.")
        left = limit_bytes
        for member in self._archive.infolist():
            read = self.reader(member)
            while piece := read(_READ_BYTES):
                left -= len(piece)
                if left < 0:
                    raise LimitExceeded(f"Unpacked, the archive has more than {limit_bytes:,} bytes.")


def _is_content(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    return (
        not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".") and name[-1:] not in ("", "/")
    )


def _broken(error: Exception) -> NoReturn:
    raise Undecodable(f"The zip archive is broken or cut off: {error}.") from None
