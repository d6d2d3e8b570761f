"""Clients of a real server that do not read, or send what makes no sense; and credentials that end meanwhile.

Those that read and acknowledge too slowly: test_slow_clients.py.
"""

import asyncio
import itertools
import json
import shutil
import socket as sockets
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, aclosing, closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

from data_handler import embedded
from monitor.client import Feed
from monitor.client.frames import encode
from tests.faults.injection import until
from tests.faults.installation import Installation

pytestmark = pytest.mark.stack

SUBSCRIPTIONS = 4
EVENT_BYTES = 20_000
BATCH = 50
BATCHES = 160
WARMING_BATCHES = 8
MOST_GROWTH_BYTES = 40 << 20
SENDING_SECONDS = 20.0
SLOW_CLOSE_SECONDS = 30.0
CREDENTIALS_SECONDS = 30.0
GRACE_SECONDS = 10.0
FLOOD_SECONDS = 3.0
NO_CLOSE_FRAME = 1006
SLOW_SENDING_SECONDS = 2.0


@pytest.fixture
def empty_feed() -> None:
    """These tests have services of their own."""


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="data-handler-unread-"))
    installation = Installation(folder)
    installation.start()
    yield installation
    installation.stop()
    embedded.remove(installation.home)
    shutil.rmtree(folder)


@pytest.fixture(scope="module", autouse=True)
def endings(installation: Installation) -> Iterator[dict[str, "Future[int]"]]:
    """Clients whose credentials end when the module begins, and the codes that they are closed with.

    It takes the server some time to look again, which the other tests use.
    """
    with ThreadPoolExecutor() as threads, ExitStack() as stack:
        sockets = with_ended_credentials(installation, stack)
        yield {name: threads.submit(close_code, socket) for name, socket in sockets.items()}


def with_ended_credentials(installation: Installation, stack: ExitStack) -> dict[str, ClientConnection]:
    """One whose key is revoked while it watches, and one whose user logs out; `stack` closes them."""
    password = (installation.home.data_dir / "admin_password").read_text().strip()
    with httpx2.Client(base_url=installation.url, timeout=15) as client:

        def post(path: str, method: str = "POST", **fields: Any) -> httpx2.Response:
            headers = {"X-CSRFToken": client.cookies["data_handler_csrf"]}
            response = client.request(method, path, headers=headers, **fields)
            assert response.status_code < 400, response.text
            return response

        client.get("/login/")
        post("/login/", data={"username": "admin", "password": password})
        key = post("/api/keys/", json={"name": "soon revoked", "scopes": ["read"]}).json()
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        sockets = {
            "key": stack.enter_context(dial(installation, Authorization=f"Bearer {key['key']}")),
            "session": stack.enter_context(dial(installation, Cookie=cookies, Origin=installation.url)),
        }
        assert all(receive(socket)["authenticated"] for socket in sockets.values())
        post(f"/api/keys/{key['id']}/", "DELETE")
        post("/logout/")
    return sockets


def dial(installation: Installation, **headers: str) -> ClientConnection:
    url = installation.url.replace("http", "ws", 1) + "/ws/events/"
    return connect(url, additional_headers=headers, compression=None, proxy=None, ping_interval=None, close_timeout=1)


@pytest.fixture
def socket(installation: Installation) -> Iterator[ClientConnection]:
    """A client with a key, after its hello."""
    with dial(installation, Authorization=f"Bearer {installation.key}") as socket:
        assert receive(socket)["authenticated"]
        yield socket


def receive(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=5))
    return frame


def close_code(socket: ClientConnection) -> int:
    """Reads until the server closes."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=CREDENTIALS_SECONDS + GRACE_SECONDS)
    return socket.close_code or 0


def error_and_close_code(socket: ClientConnection) -> tuple[str, int]:
    error = receive(socket)
    return error["code"], close_code(socket)


class Unread:
    """A client that subscribes and never reads again; small buffers of its own, so that the server's count."""

    def __init__(self, installation: Installation) -> None:
        address = urlsplit(installation.url)
        self._socket = sockets.socket()
        self._socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        self._socket.settimeout(5)
        self._socket.connect((address.hostname, address.port))
        self.port = self._socket.getsockname()[1]
        client = ClientProtocol(parse_uri(f"ws://{address.netloc}/ws/events/"))
        request = client.connect()
        request.headers["Authorization"] = f"Bearer {installation.key}"
        self._socket.sendall(request.serialize())
        while self._socket.recv(1) != b"{":  # of its hello
            pass
        for number in range(SUBSCRIPTIONS):
            self.send({"op": "sub", "id": f"s{number}"})

    def send(self, frame: dict[str, Any]) -> None:
        self._socket.sendall(Frame(Opcode.TEXT, json.dumps(frame).encode()).serialize(mask=True))

    async def acknowledge(self) -> None:
        """Lies, until the server hangs up."""
        with suppress(OSError):
            for number in itertools.count():
                self.send({"op": "ack", "seq": number})
                await asyncio.sleep(0.1)

    def flood(self, frame: Frame, seconds: float) -> None:
        """As many as the server takes."""
        data, ends_at = frame.serialize(mask=True), time.monotonic() + seconds
        with suppress(OSError):
            while time.monotonic() < ends_at:
                self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()


async def test_clients_that_do_not_read_cost_next_to_nothing_hinder_nobody_and_are_closed(
    installation: Installation,
) -> None:
    web = psutil.Process(installation.pid_of("web"))
    with closing(Unread(installation)) as silent, closing(Unread(installation)) as liar:
        began_at = time.monotonic()
        lying = asyncio.create_task(liar.acknowledge())
        reader = Feed(installation.url, installation.key)
        reading = asyncio.create_task(read(reader))
        sizes = await send_large_events(installation, web)
        assert max(sizes) - sizes[0] < MOST_GROWTH_BYTES, [size >> 20 for size in sizes]
        assert connected(web) >= {silent.port, liar.port}
        accepted = (WARMING_BATCHES + len(sizes)) * BATCH
        assert await until(lambda: reader.coverage.covered == accepted, 5), reader.coverage
        assert reader.coverage.matched == accepted
        gone = await until(
            lambda: connected(web).isdisjoint({silent.port, liar.port}), SLOW_CLOSE_SECONDS + GRACE_SECONDS
        )
        assert gone, "clients that do not read are kept"
        assert time.monotonic() - began_at > SLOW_CLOSE_SECONDS
        assert reader.state.phase == "live"
        for task in (lying, reading):
            task.cancel()


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Opcode.PING, b"x" * 125),
        Frame(Opcode.TEXT, encode("pong", text="x" * 60_000).encode()),
        Frame(Opcode.TEXT, encode("ack", seq=1).encode()),
    ],
    ids=["pings", "large frames", "acknowledgements"],
)
def test_a_flood_from_a_client_that_does_not_read_stays_outside(installation: Installation, frame: Frame) -> None:
    web = psutil.Process(installation.pid_of("web"))
    with closing(Unread(installation)) as client:
        before = web.memory_info().rss
        client.flood(frame, FLOOD_SECONDS)
        assert web.memory_info().rss - before < MOST_GROWTH_BYTES / 4


async def read(feed: Feed) -> None:
    async with aclosing(feed.frames()) as frames:
        async for _ in frames:
            pass


async def send_large_events(installation: Installation, web: psutil.Process) -> list[int]:
    """Memory of the web process, in bytes: once it has taken some, and after each batch that follows.

    It ends before those who do not read are closed, on however slow a machine.
    """
    ends_at = time.monotonic() + SENDING_SECONDS
    events = [{"type": "large", "text": "x" * EVENT_BYTES}] * BATCH
    headers = {"Authorization": f"Bearer {installation.key}"}
    sizes = []
    async with httpx2.AsyncClient(base_url=installation.url, headers=headers, timeout=15) as client:
        for number in range(WARMING_BATCHES + BATCHES):
            if time.monotonic() > ends_at:
                break
            response = await client.post("/api/streams/large/events/", json=events)
            assert response.status_code == 202
            if number >= WARMING_BATCHES:
                sizes.append(web.memory_info().rss)
    return sizes


def connected(web: psutil.Process) -> set[int]:
    """Ports of the clients of the web process."""
    return {connection.raddr.port for connection in web.net_connections("tcp") if connection.raddr}


@pytest.mark.parametrize("credentials", ["key", "session"])
def test_a_client_whose_credentials_end_is_closed_with_4401(
    endings: dict[str, "Future[int]"], credentials: str
) -> None:
    assert endings[credentials].result(CREDENTIALS_SECONDS + GRACE_SECONDS) == 4401


def test_a_frame_may_come_in_fragments(socket: ClientConnection) -> None:
    socket.send(['{"op": "sub"', ', "id"', ': "a"}'])
    assert receive(socket)["op"] == "ok"


def test_a_client_that_pings_gets_its_pongs_and_its_answers(socket: ClientConnection) -> None:
    pongs = [socket.ping() for _ in range(2000)]
    socket.send(encode("sub", id="a"))
    assert receive(socket)["op"] == "ok"
    assert all(pong.wait(5) for pong in pongs)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (b'{"op": "sub", "id": "a"}', ("bad_frame", 4400)),
        ("x" * 1_000_000, ("frame_too_large", 4413)),
        ("x" * 8_000_000, ("frame_too_large", 4413)),
        (["x" * 40_000, "x" * 40_000], ("frame_too_large", 4413)),
        (["x" * 900_000] * 9, ("frame_too_large", 4413)),
        ("[" * 60_000, ("bad_frame", 4400)),
    ],
    ids=["binary", "large", "too large to be read", "large in fragments", "fragments too large to be read", "deep"],
)
def test_a_message_that_makes_no_sense_ends_the_connection(
    socket: ClientConnection, message: str | bytes | list[str], outcome: tuple[str, int]
) -> None:
    with suppress(ConnectionClosed):  # it need not be taken to its end
        socket.send(message)
    assert error_and_close_code(socket) == outcome


def test_who_sends_too_much_slowly_reads_why_it_is_closed(socket: ClientConnection) -> None:
    part = b"x" * 900_000
    with socket.protocol_mutex:  # nothing is read meanwhile
        socket.socket.sendall(Frame(Opcode.TEXT, part, fin=False).serialize(mask=True))
        for _ in range(9):
            socket.socket.sendall(Frame(Opcode.CONT, part, fin=False).serialize(mask=True))
        time.sleep(SLOW_SENDING_SECONDS)
    assert error_and_close_code(socket) == ("frame_too_large", 4413)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame(Opcode.TEXT, b'{"op": "\xff"}'), 1007),
        (Frame(Opcode.CONT, b"x"), 1002),
    ],
    ids=["not UTF-8", "a fragment of nothing"],
)
def test_what_is_not_a_message_ends_the_connection(socket: ClientConnection, frame: Frame, code: int) -> None:
    with suppress(OSError):  # it need not be taken to its end
        socket.socket.sendall(frame.serialize(mask=True))
    assert close_code(socket) in (code, NO_CLOSE_FRAME)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_page_from_elsewhere_is_refused_even_with_a_key(installation: Installation, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        dial(installation, Origin=origin, Authorization=f"Bearer {installation.key}")
    assert refused.value.response.status_code == 403


def test_a_client_without_origin_and_key_has_to_send_one(installation: Installation) -> None:
    with dial(installation) as socket:
        assert receive(socket)["authenticated"] is False
        socket.send(encode("auth", token=installation.key))
        assert receive(socket)["authenticated"] is True


def test_a_client_that_subscribes_before_it_is_known_is_closed(installation: Installation) -> None:
    with dial(installation) as socket:
        assert receive(socket)["authenticated"] is False
        socket.send(encode("sub", id="a"))
        assert error_and_close_code(socket) == ("not_authenticated", 4401)
