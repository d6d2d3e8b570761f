"""Limits of the management API, and of counting while Redis is away."""

import logging
import socket
import time
from collections.abc import Iterator

import pytest
import redis
from django.test import Client
from pytest_django import Settings

from access import rates
from access.connections import connections
from access.keys import create_key
from access.models import Role, Scope
from tests.people import browser, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


@pytest.fixture
def limit(settings: Settings) -> int:
    settings.MANAGEMENT_REQUESTS_PER_MINUTE = 3
    return 3


def with_key() -> Client:
    return Client(headers={"authorization": f"Bearer {create_key('k', list(Scope))[1]}"})


def test_a_key_gets_429_in_the_usual_shape_past_its_limit(limit: int) -> None:
    client = with_key()
    assert [client.get("/api/streams/").status_code for _ in range(limit + 1)] == [200] * limit + [429]
    answer = client.get("/api/streams/", headers={"x-request-id": "mine"})
    assert (answer.json()["error"], answer.json()["request_id"]) == ("quota_exceeded", "mine")
    wait = int(answer.headers["Retry-After"])
    assert 1 <= wait <= 60
    assert answer.headers["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert answer.headers["RateLimit"] == f'"requests";r=0;t={wait}'


def test_each_key_and_each_user_has_a_limit_of_its_own(limit: int) -> None:
    clients = [with_key(), with_key(), Client(), Client()]
    for number, client in enumerate(clients[2:]):
        client.force_login(person(Role.VIEWER, name=f"u{number}"))
    for client in clients:
        assert [client.get("/api/streams/").status_code for _ in range(limit + 1)] == [200] * limit + [429]


def test_what_is_written_counts_too_and_does_nothing_when_refused(limit: int) -> None:
    client = with_key()
    answers = [client.post("/api/streams/", {"name": f"s{n}"}, content_type="application/json") for n in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]


def test_pages_and_probes_are_not_counted(limit: int) -> None:
    client = browser(person(Role.VIEWER))
    for address in ("/streams/", "/health/live", "/api/schema/swagger-ui/"):
        assert {client.get(address).status_code for _ in range(limit + 2)} == {200}
    assert client.get("/api/streams/").status_code == 200


def test_no_limit_is_no_limit(settings: Settings) -> None:
    settings.MANAGEMENT_REQUESTS_PER_MINUTE = 0
    client = with_key()
    assert {client.get("/api/streams/").status_code for _ in range(10)} == {200}


@pytest.fixture
def hanging() -> Iterator["redis.Redis"]:
    """A Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield connections(f"redis://127.0.0.1:{server.getsockname()[1]}/0", rates.CALL_SECONDS)


def test_a_hanging_redis_limits_nobody_costs_one_short_wait_and_one_line(
    hanging: "redis.Redis", caplog: pytest.LogCaptureFixture
) -> None:
    counting = rates.Rates(hanging)
    started_at = time.monotonic()
    assert [counting.hit(1, "somebody") for _ in range(1000)] == [None] * 1000
    assert time.monotonic() - started_at < rates.PAUSE_SECONDS
    lines = [line for line in caplog.records if line.name == "access.rates"]
    assert [line.levelno for line in lines] == [logging.WARNING]


def test_after_an_outage_it_counts_again(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    gone = redis.Redis.from_url("redis://127.0.0.1:1/0")
    counting = rates.Rates(gone)
    assert counting.hit(1, "somebody") is None
    working = rates.Rates(redis.Redis.from_url(settings.REDIS_URL))
    counting._limiter, counting._asked_again_at = working._limiter, 0.0
    assert counting.hit(1, "somebody") is None
    spent = counting.hit(1, "somebody")
    assert spent is not None
    assert spent.remaining == 0
    assert [line.message for line in caplog.records if line.name == "access.rates"][1:] == [
        "Requests are counted and limited again."
    ]
