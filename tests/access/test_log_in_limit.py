"""Guessing passwords takes time; knowing one's own never costs."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from access.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def boss(settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 3
    get_user_model().objects.create_superuser("boss", password=PASSWORD)


def attempt(address: str = "/login/", *, name: str = "boss", password: str = "wrong", **more: Any) -> Any:
    return Client().post(address, {"username": name, "password": password}, **more)


def test_past_the_limit_the_form_says_when_to_try_again() -> None:
    assert [attempt().status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = attempt(password=PASSWORD)
    wait = int(answer.headers["Retry-After"])
    assert (answer.status_code, 1 <= wait <= 60) == (429, True)
    assert f"Try again in {wait} seconds." in answer.content.decode()
    assert "sessionid" not in answer.cookies


def test_the_administration_has_no_form_of_its_own() -> None:
    assert attempt("/admin/login/", password=PASSWORD).headers["Location"] == "/login/?next=/admin/"


def test_a_user_name_waits_wherever_the_attempts_come_from() -> None:
    for number in range(3):
        attempt(REMOTE_ADDR=f"192.0.2.{number}")
    assert attempt(REMOTE_ADDR="192.0.2.9", password=PASSWORD).status_code == 429
    assert attempt(REMOTE_ADDR="192.0.2.9", name="other").status_code == 200


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
