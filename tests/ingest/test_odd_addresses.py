"""Addresses, parameters and cookies that cannot be: told so, and never a 500."""

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/streams/a%00b/", 404),
        ("/api/streams/a%00b/events/", 404),
        ("/api/streams/%20/events/", 404),
        ("/api/events/ffffffff-ffff-ffff-ffff-ffffffffffff/", 404),
        ("/api/events/ffffffff-ffff-7fff-bfff-ffffffffffff/", 404),
        ("/api/events/?cursor=ffffffff-ffff-7fff-bfff-ffffffffffff", 400),
        ("/api/events/?cursor=00000000-0000-4000-8000-000000000000", 400),
        ("/api/events/?stream=a%00b", 400),
        ("/api/events/?key=%00", 400),
        ("/api/dead-letters/?cursor=cD1hYmM%3D", 400),
        ("/api/dead-letters/?stream=%00", 400),
        ("/api/dead-letters/nonsense/", 404),
    ],
)
def test_it_is_told_so(api: Client, path: str, status: int) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    assert set(answer.json()) >= {"error", "detail", "request_id"}


@pytest.mark.parametrize("value", ['"aaaaaaaaaaaa\\000"', "a' OR 1=1 --", "ä" * 20])
def test_a_session_cookie_that_cannot_be_one_is_none(value: str) -> None:
    client = Client()
    client.cookies["data_handler_session"] = value
    answer = client.get("/admin/", headers={"cookie": f"data_handler_session={value}"})
    assert answer.status_code == 302


@pytest.mark.parametrize("body", [b"[" * 5000, b'{"name": NaN}', b"\xff", b"{"])
def test_a_body_that_is_no_json_or_nested_without_end_is_refused(api: Client, body: bytes) -> None:
    answer = api.post("/api/streams/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"] == "parse_error"


def test_without_its_last_slash_a_post_is_sent_on_as_a_post(api: Client) -> None:
    answer = api.post("/api/streams", {"name": "s"}, content_type="application/json")
    assert answer.status_code == 308
    assert answer["Location"] == "/api/streams/"
    assert api.post("/api/streams", {"name": "s"}, content_type="application/json", follow=True).status_code == 201


@pytest.mark.parametrize("path", ["/api/events/", "/api/streams/orders/events/"])
def test_who_may_not_put_is_told_of_post(api: Client, path: str) -> None:
    answer = api.put(path, {}, content_type="application/json")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
