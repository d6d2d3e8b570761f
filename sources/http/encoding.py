"""Content-Encoding of answers, decoded piece by piece: what comes out of a piece is bounded, and a cut is an error.

httpx2's own decoders end silently after the first member of a gzip file and at a stream that was cut.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator

PIECE_BYTES = 1 << 18
_GZIP, _ZLIB, _RAW = 31, 15, -15


class BrokenEncoding(Exception):
    """The compressed bytes end too early or make no sense."""


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """RFC 1952: one member after another, and zeros that fill up a block."""
    stream = None
    for piece in pieces:
        while piece:
            if stream is None:
                piece = piece.lstrip(b"\0")
                if not piece:
                    break
                stream = zlib.decompressobj(_GZIP)
            yield from _inflate(stream, piece)
            piece = stream.unused_data
            if stream.eof:
                stream = None
    if stream is not None:
        raise BrokenEncoding("it ends too early")


def _deflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """RFC 9110 means the zlib format; some send it raw."""
    stream = None
    head = b""
    for piece in pieces:
        if stream is None:
            head += piece
            if len(head) < 2:
                continue
            is_zlib = head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0
            stream, piece = zlib.decompressobj(_ZLIB if is_zlib else _RAW), head
        yield from _inflate(stream, piece)
        if stream.unused_data:
            raise BrokenEncoding("bytes follow its end")
    if (stream is None and head) or (stream is not None and not stream.eof):
        raise BrokenEncoding("it ends too early")


def _inflate(stream: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    while True:
        decoded = stream.decompress(piece, PIECE_BYTES)
        if decoded:
            yield decoded
        piece = stream.unconsumed_tail
        if stream.eof or (not piece and len(decoded) < PIECE_BYTES):
            return


_DECODERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
}
ACCEPTED = "gzip, deflate"


def is_known(encoding: str) -> bool:
    """Whether `decoded` takes this Content-Encoding."""
    return encoding in ("", "identity") or encoding in _DECODERS


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Pieces of at most PIECE_BYTES, or as they came if not compressed. Raises BrokenEncoding."""
    if encoding in ("", "identity"):
        yield from pieces
        return
    try:
        yield from _DECODERS[encoding](pieces)
    except zlib.error as error:
        raise BrokenEncoding(str(error)) from None
