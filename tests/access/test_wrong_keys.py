"""Keys cannot be guessed without end at the management API; one that works always does, and costs no counting."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from access import guesses
from access.keys import create_key
from access.models import Scope

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

UNKNOWN = f"dh_{'0' * 12}_{'0' * 32}"


@pytest.fixture(autouse=True)
def limit(settings: Settings) -> int:
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 3
    return 3


def ask(key: str, scheme: str = "Bearer", **more: Any) -> Any:
    return Client().get("/api/streams/", headers={"authorization": f"{scheme} {key}"}, **more)


def test_past_the_limit_an_address_has_to_wait(limit: int) -> None:
    assert [ask(UNKNOWN).status_code for _ in range(limit + 1)] == [401] * limit + [429]
    answer = ask(UNKNOWN)
    wait = int(answer.headers["Retry-After"])
    assert 1 <= wait <= 60
    assert answer.json()["error"] == "quota_exceeded"
    assert answer.headers["RateLimit-Policy"] == '"wrong keys";q=3;w=60'
    assert ask(UNKNOWN, REMOTE_ADDR="192.0.2.9").status_code == 401


def test_whatever_is_wrong_with_a_key_counts(limit: int) -> None:
    key, token = create_key("k", list(Scope))
    other_secret = f"dh_{key.pk}_{'1' * 32}"
    assert [ask(one).status_code for one in ("", "nonsense", other_secret, other_secret)] == [401, 401, 401, 429]
    assert ask(token).status_code == 200


def test_a_key_that_works_always_does(limit: int) -> None:
    _, token = create_key("k", list(Scope))
    assert ask(token).status_code == 200
    for _ in range(limit + 1):
        ask(UNKNOWN)
    assert [ask(token).status_code for _ in range(limit + 2)] == [200] * (limit + 2)


def test_a_request_with_a_known_key_counts_nothing(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = create_key("k", list(Scope))
    ask(token)
    counted: list[object] = []
    monkeypatch.setattr(guesses, "check", counted.append)
    monkeypatch.setattr(guesses, "count", counted.append)
    assert (ask(token).status_code, counted) == (200, [])


def test_while_an_address_waits_its_guesses_cost_no_query(
    limit: int, django_assert_num_queries: Any, settings: Settings
) -> None:
    settings.DIRECTORY_REFRESH_SECONDS = 30
    for _ in range(limit):
        ask(UNKNOWN)
    with django_assert_num_queries(0):
        assert ask(UNKNOWN).status_code == 429


def test_without_a_limit_nobody_waits(settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
    assert {ask(UNKNOWN).status_code for _ in range(8)} == {401}


def test_who_sends_no_key_is_told_so_and_not_counted(limit: int) -> None:
    assert {Client().get("/api/streams/").status_code for _ in range(limit + 3)} == {401}


def test_what_a_key_may_not_do_counts_as_a_request(settings: Settings) -> None:
    settings.MANAGEMENT_REQUESTS_PER_MINUTE = 3
    client = Client(headers={"authorization": f"Bearer {create_key('k', [Scope.READ])[1]}"})
    answers = [client.post("/api/streams/", {"name": "s"}, "application/json").status_code for _ in range(4)]
    assert answers == [403, 403, 403, 429]
    assert client.get("/api/streams/").status_code == 429


def test_a_refusal_after_the_request_was_counted_counts_once(settings: Settings) -> None:
    settings.MANAGEMENT_REQUESTS_PER_MINUTE = 4
    key = create_key("k", [Scope.READ], streams=["mine"])[1]
    client = Client(headers={"authorization": f"Bearer {key}"})
    answers = [client.get("/api/streams/other/events/").status_code for _ in range(5)]
    assert answers == [403, 403, 403, 403, 429]
