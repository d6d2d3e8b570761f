"""Requests on a schedule, against a small server."""

import socket

import pytest

from bench.load import LoadFailed, post
from bench.paced import send_paced
from tests.bench.answering import answering

REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"


def requests(count: int) -> list[bytes]:
    return [post(b'{"number":%d}' % number, "/", "key") for number in range(count)]


def test_each_request_is_sent_once_at_its_time() -> None:
    with answering() as server:
        times = send_paced(server.port, requests(20), 3, 100.0)
    assert sorted(server.bodies) == sorted(b'{"number":%d}' % number for number in range(20))
    assert times.requests == 20
    for number, (due, sent, accepted) in enumerate(zip(times.due_at, times.sent_at, times.accepted_at, strict=True)):
        assert due == pytest.approx(times.due_at[0] + number / 100)
        assert due - 0.002 <= sent <= accepted  # a timer of the loop counts whole milliseconds
    assert times.seconds >= 0.18


def test_who_waits_for_a_slow_server_is_counted_from_when_it_should_have_been_sent() -> None:
    with answering(after_seconds=0.05) as server:
        times = send_paced(server.port, requests(6), 1, 1000.0)
    for number, latency in enumerate(times.latencies_ms):
        assert latency >= 50 * (number + 1) - number - 1
    assert times.accepted_at[-1] - times.sent_at[-1] < times.latencies_ms[-1] / 1000


def test_without_a_rate_the_next_request_follows_the_answer() -> None:
    with answering(after_seconds=0.02) as server:
        times = send_paced(server.port, requests(10), 5)
    assert times.due_at == times.sent_at
    assert 0.04 <= times.seconds < 0.2


def test_an_answer_but_202_stops_the_measurement() -> None:
    with answering(REFUSED) as server, pytest.raises(LoadFailed, match="503 Service"):
        send_paced(server.port, requests(5), 2, 100.0)


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(LoadFailed, match=f"port {port}"):
        send_paced(port, requests(1), 1)
