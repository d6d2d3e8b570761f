"""Daphne as we run it."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

STARTUP_SECONDS = 60


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "data_handler.web", "-p", str(port), "tests.data_handler.endless:application"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port)
            yield server
        finally:
            server.kill()


def wait_for(port: int) -> None:
    for _ in range(STARTUP_SECONDS * 10):
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port)).close()
        time.sleep(0.1)
    pytest.fail("The server did not start.")


def parts(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/parts")
    count = int(connection.getresponse().read())
    connection.close()
    return count


def settled(port: int) -> int:
    """How many parts were taken when no more are."""
    before = -1
    while (now := parts(port)) != before:
        before = now
        time.sleep(1)
    return now


@pytest.mark.usefixtures("server")
def test_an_answer_waits_for_a_client_that_reads_slowly(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        count = settled(port)
        assert 0 < count < 1000
        for _ in range(2 * count):
            assert client.recv(65_536)
        assert settled(port) > count


@pytest.mark.usefixtures("server")
def test_an_answer_that_fails_when_it_has_begun_is_cut_short_every_time(port: int) -> None:
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/fails")
        with connection.getresponse() as answer, pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
        connection.close()
    assert parts(port) == 0


def test_it_ends_though_a_thread_is_at_work(port: int, server: subprocess.Popen[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /works HTTP/1.1\r\nHost: x\r\n\r\n")
        while b"begun" not in client.recv(65_536):
            pass
        server.terminate()
        told, _ = server.communicate(timeout=STARTUP_SECONDS // 2)
    assert (server.returncode, told) == (0, b"ended\n")
