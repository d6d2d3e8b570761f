import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from access.keys import authenticate, create_key
from access.models import ApiKey, AuditEntry, Role, Scope
from tests.people import browser, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return browser(person(Role.ADMIN))


def test_a_new_keys_secret_is_shown_once(admin: Client) -> None:
    made = admin.post("/api/keys/", {"name": "n", "scopes": ["ingest"]}, content_type="application/json").json()
    assert authenticate(f"Bearer {made['key']}").scopes == {"ingest"}
    [listed] = admin.get("/api/keys/").json()
    assert (listed["id"], listed["key"]) == (made["id"], None)


def test_only_a_hash_of_the_secret_is_kept() -> None:
    key, token = create_key("n")
    secret = token.rpartition("_")[2]
    assert secret not in str(ApiKey.objects.values().get())
    assert len(bytes(key.secret_hash)) == 32


def test_deleting_revokes_and_keeps_the_record(admin: Client) -> None:
    key, _ = create_key("n")
    assert admin.delete(f"/api/keys/{key.id}/").status_code == 204
    assert admin.get(f"/api/keys/{key.id}/").json()["revoked_at"] is not None


@pytest.mark.parametrize("scopes", [[], ["everything"], "ingest"])
def test_scopes_that_are_none_are_refused(admin: Client, scopes: object) -> None:
    answer = admin.post("/api/keys/", {"name": "n", "scopes": scopes}, content_type="application/json")
    assert list(answer.json()["fields"]) == ["scopes"]


def test_no_key_may_make_keys() -> None:
    _, token = create_key("n", list(Scope))
    client = Client(headers={"authorization": f"Bearer {token}"})
    assert client.post("/api/keys/", {"name": "n", "scopes": ["ingest"]}).status_code == 403


def test_who_is_no_administrator_may_not_see_them() -> None:
    assert browser(person(Role.OPERATOR)).get("/api/keys/").status_code == 403


def test_the_admin_shows_a_new_keys_secret_once() -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root", password="p"))
    answer = client.post("/admin/access/apikey/add/", {"name": "n", "scopes": ["ingest"], "streams": ""}, follow=True)
    key = ApiKey.objects.get()
    assert f"dh_{key.id}_".encode() in answer.content
    assert f"dh_{key.id}_".encode() not in client.get("/admin/access/apikey/").content


def test_the_admin_revokes() -> None:
    key, _ = create_key("n")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root", password="p"))
    client.post("/admin/access/apikey/", {"action": "revoke", "_selected_action": [key.id]})
    key.refresh_from_db()
    assert key.revoked_at is not None


@pytest.mark.parametrize("id", ["%00", "nothing"])
def test_an_address_of_no_key_is_not_found(admin: Client, id: str) -> None:
    assert admin.get(f"/api/keys/{id}/").status_code == 404


def test_what_a_new_key_is_for_is_in_the_audit_log(admin: Client) -> None:
    given = {"name": "n", "scopes": ["read"], "streams": ["sensors"], "sources": ["prices"]}
    assert admin.post("/api/keys/", given, content_type="application/json").status_code == 201
    changes = AuditEntry.objects.get(action="key.create").changes
    assert {name: changes[name]["new"] for name in given} == given
