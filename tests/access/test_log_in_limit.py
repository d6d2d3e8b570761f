"""Guessing passwords takes time; knowing one's own never costs."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from access.log_in import COOKIE, COOKIE_SECONDS
from access.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def boss(settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 3
    get_user_model().objects.create_superuser("boss", password=PASSWORD)


def attempt(address: str = "/login/", *, name: str = "boss", password: str = "wrong", **more: Any) -> Any:
    return Client().post(address, {"username": name, "password": password}, **more)


def log_in(client: Client) -> Any:
    return client.post("/login/", {"username": "boss", "password": PASSWORD})


def test_past_the_limit_the_form_says_when_to_try_again() -> None:
    assert [attempt().status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = attempt(password=PASSWORD)
    wait = int(answer.headers["Retry-After"])
    assert (answer.status_code, 1 <= wait <= 60) == (429, True)
    assert f"Try again in {wait} seconds." in answer.content.decode()
    assert "sessionid" not in answer.cookies


def test_the_administration_has_no_form_of_its_own() -> None:
    assert attempt("/admin/login/", password=PASSWORD).headers["Location"] == "/login/?next=/admin/"


def guess_from_everywhere(attempts: int = 30) -> None:
    for number in range(attempts):
        attempt(REMOTE_ADDR=f"192.0.2.{number}")


def test_a_stranger_at_another_address_keeps_nobody_out() -> None:
    for _ in range(5):
        attempt(REMOTE_ADDR="192.0.2.1")
    assert attempt(REMOTE_ADDR="192.0.2.99", password=PASSWORD).status_code == 302


def test_a_user_name_waits_when_attempts_come_from_everywhere() -> None:
    guess_from_everywhere()
    assert attempt(REMOTE_ADDR="192.0.2.99", password=PASSWORD).status_code == 429
    assert attempt(REMOTE_ADDR="192.0.2.99", name="other").status_code == 200


def test_where_somebody_has_logged_in_nobody_else_keeps_them_out() -> None:
    mine = Client()
    assert log_in(mine).status_code == 302
    cookie = mine.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (
        *(True, "Lax", "/login/"),
        COOKIE_SECONDS,
    )
    guess_from_everywhere()
    for _ in range(4):
        attempt()
    assert attempt(password=PASSWORD).status_code == 429
    mine.logout()
    mine.cookies[COOKIE] = cookie.value
    assert log_in(mine).status_code == 302


def test_a_known_browser_guesses_no_faster_and_for_no_other_name() -> None:
    mine = Client()
    log_in(mine)
    cookie = mine.cookies[COOKIE].value

    def guess(name: str) -> int:
        client = Client()
        client.cookies[COOKIE] = cookie
        return int(client.post("/login/", {"username": name, "password": "wrong"}).status_code)

    assert [guess("boss") for _ in range(4)] == [200, 200, 200, 429]
    assert attempt().status_code == 200, "what it got wrong is its own affair"
    assert [guess("other") for _ in range(3)] == [200, 200, 429]
    assert attempt(name="other").status_code == 429


@pytest.mark.parametrize("forged", ["x", "WyJhIiwiYiJd:1:x", ""])
def test_a_cookie_that_is_not_ours_does_not_help(forged: str) -> None:
    client = Client()
    client.cookies[COOKIE] = forged
    answers = [client.post("/login/", {"username": "boss", "password": "wrong"}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_an_address_waits_whatever_names_it_tries() -> None:
    for number in range(3):
        attempt(name=f"guess{number}")
    assert attempt(password=PASSWORD).status_code == 429
    assert attempt(password=PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 302


def test_an_address_that_is_only_claimed_does_not_help() -> None:
    answers = [attempt(name=f"g{n}", headers={"x-forwarded-for": f"192.0.2.{n}"}).status_code for n in range(4)]
    assert answers == [200, 200, 200, 429]


def test_success_never_counts() -> None:
    assert {attempt(password=PASSWORD).status_code for _ in range(8)} == {302}
    assert attempt().status_code == 200


def test_without_a_limit_nobody_waits(settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
    assert {attempt().status_code for _ in range(8)} == {200}


def test_log_ins_are_in_the_audit_log_and_refused_ones_do_not_flood_it() -> None:
    attempt(password=PASSWORD)
    for _ in range(6):
        attempt()
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "actor", "object_name", "address"))
    user = get_user_model().objects.get()
    assert entries[0] == ("user.log_in", f"user:{user.pk}", "boss", "127.0.0.1")
    assert entries[1:] == [("user.log_in_failed", "anonymous", "boss", "127.0.0.1")] * 3
    assert "wrong" not in str(list(AuditEntry.objects.values()))
