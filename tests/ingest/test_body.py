"""Reading and decompressing request bodies within their limit."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zstandard

from ingest.body import Receive, read_body
from ingest.envelope import Limits
from ingest.errors import BadRequest, ClientDisconnected, PayloadTooLarge, UnsupportedEncoding

DATA = b'[{"a":1},{"b":2}]' * 20_000
BOMBS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"zstd": zstandard.compress,
}
LIMITS = Limits(max_body_bytes=1_000_000)


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def zstd_of_unknown_size(data: bytes) -> bytes:
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return stream.compress(data) + stream.flush()


def messages(*pieces: bytes) -> Receive:
    waiting: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces] + [{"type": "http.request"}]
    )

    async def receive() -> dict[str, Any]:
        return next(waiting)

    return receive


async def read(body: bytes, encoding: bytes = b"", limits: Limits = LIMITS) -> bytes:
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    return await read_body(messages(*pieces), {b"content-encoding": encoding} if encoding else {}, limits)


async def test_pieces_are_joined() -> None:
    assert await read(DATA) == DATA
    assert await read(b"") == b""


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"identity", DATA),
        (b"gzip", gzip.compress(DATA)),
        (b" GZIP", gzip.compress(DATA)),
        (b"gzip", gzip.compress(DATA[:99]) + gzip.compress(b"") + gzip.compress(DATA[99:])),
        (b"deflate", zlib.compress(DATA)),
        (b"deflate", raw_deflate(DATA)),
        (b"zstd", zstandard.compress(DATA)),
        (b"zstd", zstd_of_unknown_size(DATA)),
        (b"zstd", zstandard.compress(DATA[:99]) + zstd_of_unknown_size(DATA[99:])),
        (b"gzip", gzip.compress(DATA, compresslevel=0)),
    ],
)
async def test_a_body_is_decompressed(encoding: bytes, body: bytes) -> None:
    assert await read(body, encoding) == DATA


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", gzip.compress(DATA)),
        (b"deflate", zlib.compress(DATA)),
        (b"deflate", raw_deflate(DATA)),
        (b"zstd", zstandard.compress(DATA)),
        (b"zstd", zstd_of_unknown_size(DATA)),
    ],
)
async def test_a_broken_stream_is_refused(encoding: bytes, body: bytes) -> None:
    middle = len(body) // 2
    for broken in (b"", body[:1], body[:middle], body[:-1], body + b"more", DATA):
        with pytest.raises(BadRequest, match=encoding.decode()) as caught:
            await read(broken, encoding)
        assert caught.value.code == "bad_encoding"


async def test_gzip_members_without_end_are_refused() -> None:
    with pytest.raises(BadRequest, match="members"):
        await read(gzip.compress(b"") * 10_001, b"gzip")


async def test_a_zstd_window_beyond_8_mib_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=24)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(BadRequest) as caught:
        await read(stream.compress(DATA) + stream.flush(), b"zstd")
    assert caught.value.code == "bad_encoding"


@pytest.mark.parametrize("encoding", [b"br", b"gzip, gzip", b"aws-chunked"])
async def test_an_unknown_encoding_is_refused_with_the_known(encoding: bytes) -> None:
    with pytest.raises(UnsupportedEncoding, match="gzip, x-gzip, deflate, zstd") as caught:
        await read(DATA, encoding)
    assert caught.value.status == 415


async def test_the_limit_itself_is_allowed() -> None:
    limits = Limits(max_body_bytes=len(DATA))
    for encoding, body in ((b"", DATA), (b"gzip", gzip.compress(DATA)), (b"zstd", zstandard.compress(DATA))):
        assert await read(body, encoding, limits) == DATA


async def test_one_byte_more_is_too_large() -> None:
    limits = Limits(max_body_bytes=len(DATA) - 1)
    for encoding, body in ((b"", DATA), (b"gzip", gzip.compress(DATA)), (b"zstd", zstandard.compress(DATA))):
        with pytest.raises(PayloadTooLarge) as caught:
            await read(body, encoding, limits)
        assert (caught.value.status, caught.value.code) == (413, "payload_too_large")


async def test_a_declared_length_is_refused_before_anything_is_read() -> None:
    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    with pytest.raises(PayloadTooLarge):
        await read_body(receive, {b"content-length": b"1000001"}, LIMITS)


@pytest.mark.parametrize("encoding", BOMBS)
async def test_a_bomb_never_unfolds(encoding: bytes) -> None:
    bomb = BOMBS[encoding](bytes(64_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge):
            await read(bomb, encoding)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


async def test_a_client_that_leaves_is_noticed() -> None:
    waiting: list[dict[str, Any]] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"[", "more_body": True},
    ]

    async def receive() -> dict[str, Any]:
        return waiting.pop()

    with pytest.raises(ClientDisconnected):
        await read_body(receive, {}, LIMITS)
