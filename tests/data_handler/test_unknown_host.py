"""Requests to a host name that is not ours."""

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture
def stranger(settings: Settings) -> Client:
    settings.ALLOWED_HOSTS = ["events.example.org"]
    return Client(headers={"host": "elsewhere.example.org"})


def test_an_unknown_host_is_told_in_the_shape_of_all_errors(stranger: Client) -> None:
    answer = stranger.get("/api/streams/", headers={"x-request-id": "mine"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert (answer.json()["error"], answer.json()["request_id"]) == ("bad_request", "mine")
    assert "ALLOWED_HOSTS" in answer.json()["detail"]


def test_a_browser_is_told_on_a_page(stranger: Client) -> None:
    answer = stranger.get("/login/", headers={"accept": "text/html"})
    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.content.decode()
