"""The load generator, against small servers that answer as real ones may."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from bench.load import LoadFailed, body_of_answer, post, send_all, send_for

PLAIN = [b"HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n", b'{"id":"abc"}']
IN_PIECES = [b"HTTP/1.1 202 Acc", b"epted\r\ncontent-LENGTH:  12\r", b"\n\r\n{", b'"id":"abc"', b"}"]
REFUSED = [b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"]
WITHOUT_LENGTH = [b"HTTP/1.1 202 Accepted\r\n\r\n"]


@dataclass
class Answering:
    port: int
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0


@pytest.fixture
def serve() -> Iterator[Callable[[list[bytes]], Answering]]:
    """Starts a server that answers every request with these pieces, one write each; with none it hangs up."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers: list[asyncio.Server] = []

    def start(pieces: list[bytes]) -> Answering:
        answering = Answering(0)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answering.connections += 1
            try:
                while pieces:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().split(b"content-length:")[1].split()[0])
                    answering.bodies.append(await reader.readexactly(length))
                    for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0.001 if len(pieces) > 2 else 0)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(answer, "127.0.0.1", 0), loop)
        servers.append(starting.result(5))
        answering.port = servers[-1].sockets[0].getsockname()[1]
        return answering

    async def stop() -> None:
        for server in servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    yield start
    asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def requests(count: int) -> list[bytes]:
    return [post(b'{"number":%d}' % number, "/", "key") for number in range(count)]


@pytest.mark.parametrize("pieces", [PLAIN, IN_PIECES])
def test_each_request_is_sent_once_and_each_answer_counted_once(
    serve: Callable[[list[bytes]], Answering], pieces: list[bytes]
) -> None:
    server = serve(pieces)
    load = send_all(server.port, requests(60), 7)
    assert sorted(server.bodies) == sorted(b'{"number":%d}' % number for number in range(60))
    assert server.connections == 7
    assert (load.requests, load.answer_bytes) == (60, 60 * 12)
    assert load.per_second == pytest.approx(60 / load.seconds)
    assert load.cpu_microseconds_per_request == pytest.approx(load.cpu_seconds / 60 * 1e6)


def test_requests_are_repeated_until_the_time_is_up(serve: Callable[[list[bytes]], Answering]) -> None:
    server = serve(PLAIN)
    started_at = time.monotonic()
    load = send_for(server.port, requests(3), 2, 0.2)
    assert 0.2 <= load.seconds <= time.monotonic() - started_at
    assert load.requests == len(server.bodies) > 3


@pytest.mark.parametrize(
    ("pieces", "reason"), [(REFUSED, "503 Service"), (WITHOUT_LENGTH, "Content-Length"), ([], "closed the connection")]
)
def test_anything_but_a_202_stops_the_measurement(
    serve: Callable[[list[bytes]], Answering], pieces: list[bytes], reason: str
) -> None:
    with pytest.raises(LoadFailed, match=reason):
        send_all(serve(pieces).port, requests(5), 2)


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(LoadFailed, match=f"port {port}"):
        send_all(port, requests(1), 1)


def test_an_answer_counts_only_when_all_of_it_is_there() -> None:
    whole = b"".join(PLAIN)
    assert body_of_answer(whole) == 12
    assert [body_of_answer(whole[:end]) for end in range(len(whole))] == [None] * len(whole)
