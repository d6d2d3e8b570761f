"""How a connection of the live feed ended, read from its bytes."""

import socket
from collections.abc import Callable

import pytest

from bench.deaf import ending, read_on

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def text(length: int) -> bytes:
    if length < 126:
        return bytes([0x81, length]) + b"x" * length
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2) + b"x" * length
    return b"\x81\x7f" + length.to_bytes(8) + b"x" * length


CLOSE = b"\x88\x02" + (4508).to_bytes(2)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_close_frame_is_found_behind_frames_of_any_length(length: int) -> None:
    assert ending(text(length) * 2 + CLOSE) == "close 4508"


@pytest.mark.parametrize(
    ("frames", "end"),
    [
        (b"", "no close frame"),
        (text(10), "no close frame"),
        (text(300)[:-1], "cut off within a frame"),
        (text(5) + CLOSE[:3], "cut off within a frame"),
        (text(5) + b"\x81\x7e\x01", "cut off within a frame"),
        (text(5) + b"\x88", "cut off within a frame"),
    ],
)
def test_what_is_no_close_frame_is_not_taken_for_one(frames: bytes, end: str) -> None:
    assert ending(frames) == end


def hang_up(server: socket.socket) -> None:
    server.sendall(HEAD + text(200) + CLOSE)
    server.close()


def leave_open(server: socket.socket) -> None:
    server.sendall(HEAD + text(200))


@pytest.mark.parametrize(("act", "end"), [(hang_up, "close 4508"), (leave_open, "still open")])
def test_a_client_that_reads_at_last_tells_how_it_ended(act: Callable[[socket.socket], None], end: str) -> None:
    server, client = socket.socketpair()
    with server, client:
        client.settimeout(0.2)
        act(server)
        assert read_on(client) == end
