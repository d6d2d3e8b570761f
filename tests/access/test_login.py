"""Logging in and out in the browser, for people who are no staff too."""

import pytest
from django.test import Client

from access.models import Role
from tests.people import person

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"


@pytest.fixture
def reader() -> None:
    person(Role.VIEWER, name="reader", password=PASSWORD)


def log_in(client: Client, address: str = "/login/", password: str = PASSWORD, **fields: str) -> str:
    """Where it leads to; "" when the page is shown again."""
    answer = client.post(address, {"username": "reader", "password": password, **fields})
    return answer.headers.get("Location", "")


@pytest.mark.usefixtures("reader")
def test_a_page_sends_to_the_log_in_and_back() -> None:
    client = Client()
    address = client.get("/streams/?q=a").headers["Location"]
    assert address == "/login/?next=/streams/%3Fq%3Da"
    assert 'name="next" value="/streams/?q=a"' in client.get(address).content.decode()
    assert log_in(client, next="/streams/?q=a") == "/streams/?q=a"
    assert client.get("/streams/").status_code == 200


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", r"/\evil.example", "javascript:alert(1)"]
)
def test_it_never_leads_to_another_site(address: str) -> None:
    assert log_in(Client(), next=address) == "/"
    assert log_in(Client(), address=f"/login/?next={address}") == "/"


@pytest.mark.usefixtures("reader")
def test_a_wrong_password_is_said_and_the_name_is_kept() -> None:
    client = Client()
    answer = client.post("/login/", {"username": "reader", "password": "wrong"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'role="alert"' in page
    assert 'value="reader"' in page
    assert client.get("/streams/").status_code == 302


@pytest.mark.usefixtures("reader")
def test_a_name_with_markup_is_shown_as_text() -> None:
    page = Client().post("/login/", {"username": "<b>x", "password": "wrong"}).content.decode()
    assert "<b>x" not in page
    assert "&lt;b&gt;x" in page


@pytest.mark.usefixtures("reader")
def test_logging_out_takes_a_post_and_leads_to_the_log_in() -> None:
    client = Client()
    log_in(client)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/streams/").status_code == 302


@pytest.mark.usefixtures("reader")
def test_forms_without_the_token_are_refused_with_a_page_that_says_so() -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    answer = client.post("/login/", {"username": "reader", "password": PASSWORD})
    assert answer.status_code == 403
    assert "Load its page again" in answer.content.decode()


@pytest.mark.usefixtures("reader")
def test_who_is_logged_in_already_goes_on() -> None:
    client = Client()
    log_in(client)
    assert client.get("/login/?next=/streams/").headers["Location"] == "/streams/"
