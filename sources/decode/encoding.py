"""Characters: which encoding a text is in, and streams of UTF-8 whatever it is in."""

import codecs
import io
import re
from typing import TYPE_CHECKING

from charset_normalizer import from_bytes

from sources.decode.content import Content
from sources.decode.marks import known_encoding, marked_encoding
from sources.definition import Decode
from sources.errors import LimitExceeded, Undecodable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK_BYTES = 262_144
_GUESS_BYTES = 65_536
_stray = re.compile("[\udc80-\udcff]")
_beyond_ascii = re.compile("[^\x00-\x7f\udc80-\udcff]")
_set_it = "set decode.encoding to the right one"


def encoding_of(content: Content, spec: Decode) -> str:
    """The encoding of a plain text, in this order: as configured, by its mark, as the other side says, UTF-8, guessed.

    What the other side says is checked: Undecodable where the first MiB is not that, or is UTF-8 instead. UTF-8 may
    have stray bytes, as long as there are fewer of them than of its characters beyond ASCII.
    """
    head = content.stream.peek(1)
    if spec.encoding:
        return _with_mark(known_encoding(spec.encoding), head)
    if marked := marked_encoding(head):
        return marked
    if content.charset:
        return _checked(_with_mark(known_encoding(content.charset), head), head)
    return "utf-8" if _is_mostly_utf8(head) else _guessed(head)


def utf8(content: Content, spec: Decode) -> io.BufferedReader:
    """The content as UTF-8 without a mark, in whatever encoding it is configured or marked to be.

    UTF-8 itself is passed on as it is, unchecked. Reading anything else raises Undecodable where a byte does not fit.
    """
    head = content.stream.peek(1)
    encoding = _with_mark(known_encoding(spec.encoding), head) if spec.encoding else marked_encoding(head)
    if encoding == "utf-8-sig":
        content.stream.read(len(codecs.BOM_UTF8))
    if encoding in ("", "utf-8", "utf-8-sig"):
        return content.stream
    return io.BufferedReader(_Recoded(content.stream, encoding), _CHUNK_BYTES)


def with_bounded_lines(stream: io.BufferedReader, longest_bytes: int) -> io.BufferedReader:
    """The same stream; LimitExceeded while a line is read that is longer, before it is all in memory."""
    return io.BufferedReader(_BoundedLines(stream, longest_bytes), _CHUNK_BYTES)


def misfit(error: UnicodeDecodeError, encoding: str, before: int = 0) -> Undecodable:
    return Undecodable(f"Byte {before + error.start:,} is not {encoding} ({error.reason}): {_set_it}.")


class _Recoded(io.RawIOBase):
    def __init__(self, stream: io.BufferedReader, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._before = 0
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        while not self._left:
            data = self._stream.read(_CHUNK_BYTES)
            self._left = self._decode(data).encode("utf-8", errors="replace")
            if not data:
                break
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _decode(self, data: bytes) -> str:
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise misfit(error, self._encoding, self._before) from None
        self._before += len(data)
        return text


class _BoundedLines(io.RawIOBase):
    def __init__(self, stream: io.BufferedReader, longest_bytes: int) -> None:
        self._stream = stream
        self._longest_bytes = longest_bytes
        self._before = 0
        self._line_starts = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        data = self._stream.read1(len(view))
        size = len(data)
        view[:size] = data
        end = max(data.rfind(b"\n"), data.rfind(b"\r"))
        if end >= 0:
            self._line_starts = self._before + end + 1
        self._before += size
        if self._before - self._line_starts > self._longest_bytes:
            raise LimitExceeded(
                f"The line that starts at byte {self._line_starts:,} is longer than {self._longest_bytes:,} bytes."
            )
        return size


def _with_mark(encoding: str, head: bytes) -> str:
    """A mark is no part of the text, and says which end of UTF-16 comes first; else the place of the NUL does."""
    marked = marked_encoding(head)
    if marked and encoding[:6].rstrip("-") == marked[:6].rstrip("-"):
        return marked
    if encoding in ("utf-16", "utf-32"):
        return f"{encoding}-{'be' if head.startswith(bytes(1)) else 'le'}"
    return encoding


def _misfit(head: bytes, encoding: str) -> UnicodeDecodeError | None:
    """Why the head is not in the encoding; that it may be cut off inside a character does not count."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError as error:
        return error
    return None


def _checked(encoding: str, head: bytes) -> str:
    if error := _misfit(head, encoding):
        raise Undecodable(f"Sent as {encoding}, but byte {error.start:,} is not ({error.reason}): {_set_it}.")
    is_one_byte = len("é".encode(encoding, errors="replace")) == 1
    if is_one_byte and not head.isascii() and _misfit(head, "utf-8") is None:
        raise Undecodable(f"Sent as {encoding}, but it is UTF-8: {_set_it}.")
    return encoding


def _is_mostly_utf8(head: bytes) -> bool:
    """Texts in other encodings have hardly a sequence of bytes that is UTF-8 by chance."""
    text = head.decode("utf-8", errors="surrogateescape")
    stray = len(_stray.findall(text))
    return _misfit(head, "utf-8") is None or stray < len(_beyond_ascii.findall(text))


def _guessed(head: bytes) -> str:
    """By what stands around the first bytes that are no ASCII."""
    start = max(0, _first_beyond_ascii(head) - _GUESS_BYTES // 2)
    best = from_bytes(head[start : start + _GUESS_BYTES]).best()
    if best is None or b"\0" in head:
        error = _misfit(head, "utf-8")
        raise Undecodable(f"Byte {error.start if error else 0:,} is not UTF-8, nor any text that is known: {_set_it}.")
    return best.encoding


def _first_beyond_ascii(head: bytes) -> int:
    found = re.search(rb"[\x80-\xff]", head)
    return found.start() if found else 0
