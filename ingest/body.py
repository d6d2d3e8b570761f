"""Reading a request's body, its limit enforced while it arrives and while it is decompressed."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

import zstandard

from ingest.errors import BadRequest, ClientDisconnected, PayloadTooLarge, UnsupportedEncoding
from ingest.payload import Limits

Receive = Callable[[], Awaitable[Any]]

PIECE_BYTES = 1 << 16
ZSTD_WINDOW_BYTES = 8 << 20
MOST_GZIP_MEMBERS = 10_000


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limits: Limits) -> bytes:
    """The body, decompressed. `headers` have lower-case names.

    Raises PayloadTooLarge, UnsupportedEncoding, BadRequest (bad_encoding), ClientDisconnected.
    """
    encoding = headers.get(b"content-encoding", b"").strip().lower() or b"identity"
    if encoding != b"identity" and encoding not in DECODERS:
        raise UnsupportedEncoding(
            f"Content-Encoding {encoding[:40].decode('latin-1')!r} is not known. "
            f"Send one of: identity, {b', '.join(DECODERS).decode()}."
        )
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > limits.max_body_bytes:
        raise _too_large(limits)
    body = await _receive_all(receive, limits)
    if encoding == b"identity":
        return body
    return await asyncio.to_thread(decompress, body, encoding, limits)  # a few bytes may become many


async def _receive_all(receive: Receive, limits: Limits) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        piece = message.get("body", b"")
        size += len(piece)
        if size > limits.max_body_bytes:
            raise _too_large(limits)
        pieces.append(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(limits: Limits) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The body may have at most {limits.max_body_bytes} bytes, compressed or not; send it in parts."
    )


# Content-Encoding


class _Broken(Exception):
    """The compressed bytes end too early, go on too long or make no sense."""


def _gzip(body: bytes) -> Iterator[bytes]:
    """RFC 1952: one member after another."""
    start = 0
    for _ in range(MOST_GZIP_MEMBERS):
        start = yield from _inflate(body, start, wbits=31)
        if start == len(body):
            return
    raise _Broken(f"it has more than {MOST_GZIP_MEMBERS} members")


def _deflate(body: bytes) -> Iterator[bytes]:
    """RFC 9110 means the zlib format; some send it raw."""
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    if (yield from _inflate(body, 0, wbits=15 if is_zlib else -15)) < len(body):
        raise _Broken("bytes follow its end")


def _inflate(body: bytes, start: int, wbits: int) -> Generator[bytes, None, int]:
    """One zlib stream, in pieces; returns where it ended. Raises zlib.error, _Broken."""
    stream = zlib.decompressobj(wbits)
    while start < len(body):
        piece = body[start : start + PIECE_BYTES]
        start += len(piece)
        while piece and not stream.eof:
            yield stream.decompress(piece, PIECE_BYTES)
            piece = stream.unconsumed_tail
        while not stream.eof and (rest := stream.decompress(b"", PIECE_BYTES)):
            yield rest
        if stream.eof:
            return start - len(stream.unused_data)
    raise _Broken("it ends too early")


# The reader does not tell a stream that was cut from one that ended, so a known frame is appended, and must come out
# last.
_LAST_CONTENT = b"the end of the frames"
_LAST_FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(_LAST_CONTENT)


def _zstd(body: bytes) -> Iterator[bytes]:
    """RFC 8878: one frame after another."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
    held = b""
    with decompressor.stream_reader(body + _LAST_FRAME, read_across_frames=True) as reader:
        while piece := reader.read(PIECE_BYTES):
            held += piece
            yield held[: -len(_LAST_CONTENT)]
            held = held[-len(_LAST_CONTENT) :]
    if not body or held != _LAST_CONTENT:
        raise _Broken("it ends too early")


DECODERS: dict[bytes, Callable[[bytes], Iterable[bytes]]] = {
    b"gzip": _gzip,
    b"x-gzip": _gzip,
    b"deflate": _deflate,
    b"zstd": _zstd,
}


def decompress(body: bytes, encoding: bytes, limits: Limits) -> bytes:
    """Raises PayloadTooLarge as soon as one byte too many came out, BadRequest (bad_encoding) for a broken stream."""
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in DECODERS[encoding](body):
            size += len(piece)
            if size > limits.max_body_bytes:
                raise _too_large(limits)
            pieces.append(piece)
    except (zlib.error, zstandard.ZstdError, _Broken) as error:
        name = encoding.decode()
        raise BadRequest("bad_encoding", f"The body is not what Content-Encoding {name} says: {error}.") from None
    return b"".join(pieces)
