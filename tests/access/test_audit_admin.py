"""What is changed in Django's administration, or by a command, is in the audit log."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from access.keys import create_key
from access.models import AuditEntry
from ingest import chunks
from ingest.flush import flush
from ingest.models import Stream
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

PASSWORD = "correct-horse-battery"
PERSON = {
    "username": "anna",
    "is_active": "on",
    "date_joined_0": "2026-01-01",
    "date_joined_1": "00:00:00",
}


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=PASSWORD))
    AuditEntry.objects.all().delete()
    return client


def the_entry() -> AuditEntry:
    entry = AuditEntry.objects.get()
    assert entry.actor_name == "root"
    assert PASSWORD not in str(entry.changes)
    return entry


def post(client: Client, address: str, **fields: Any) -> None:
    answer = client.post(f"/admin/{address}", fields)
    assert answer.status_code == 302, answer.content.decode()


def test_a_user_who_is_made(root: Client) -> None:
    passwords = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    post(root, "auth/user/add/", username="anna", **passwords)
    entry = the_entry()
    assert (entry.action, entry.object_name, entry.changes["username"]) == ("user.create", "anna", {"new": "anna"})


def test_a_user_who_gets_rights(root: Client) -> None:
    anna = User.objects.create_user("anna")
    group = Group.objects.create(name="operators")
    post(root, f"auth/user/{anna.pk}/change/", **PERSON, is_staff="on", groups=[group.pk])
    entry = the_entry()
    assert (entry.action, entry.object_id) == ("user.update", str(anna.pk))
    assert entry.changes["is_staff"] == {"old": False, "new": True}
    assert entry.changes["groups"] == {"old": [], "new": ["operators"]}


def test_a_password_that_is_set(root: Client) -> None:
    anna = User.objects.create_user("anna")
    passwords = {"password1": PASSWORD, "password2": PASSWORD, "set-password": "x", "usable_password": "true"}
    post(root, f"auth/user/{anna.pk}/password/", **passwords)
    assert the_entry().action == "user.update"


def test_ones_own_password(root: Client) -> None:
    new = {"new_password1": PASSWORD + "2", "new_password2": PASSWORD + "2"}
    assert root.post("/admin/password_change/", {"old_password": "wrong", **new}).status_code == 200
    assert not AuditEntry.objects.exists()
    post(root, "password_change/", old_password=PASSWORD, **new)
    assert the_entry().action == "user.password"
    assert root.get("/admin/").status_code == 200


def test_a_group_that_is_deleted(root: Client) -> None:
    group = Group.objects.create(name="operators")
    post(root, f"auth/group/{group.pk}/delete/", post="yes")
    assert (the_entry().action, the_entry().object_name) == ("group.delete", "operators")


def test_a_key_that_is_made_and_revoked(root: Client) -> None:
    post(root, "access/apikey/add/", name="n", scopes=["ingest"], streams="")
    assert (the_entry().action, the_entry().object_name) == ("key.create", "n")
    AuditEntry.objects.all().delete()
    post(root, "access/apikey/", action="revoke", _selected_action=[create_key("old")[0].pk])
    assert (the_entry().action, the_entry().object_name) == ("key.revoke", "old")


def test_a_stream_that_is_changed(root: Client) -> None:
    stream = Stream.objects.create(name="s")
    post(root, f"ingest/stream/{stream.pk}/change/", schema="null", schema_mode="off", retention_days="7")
    assert (the_entry().action, the_entry().changes) == ("stream.update", {"retention_days": {"old": None, "new": 7}})


@pytest.mark.parametrize(("action", "verb"), [("replay", "replay"), ("delete_selected", "discard")])
def test_dead_letters_are_one_entry_with_their_number(root: Client, action: str, verb: str) -> None:
    chunk = push_chunk(make_stream(), [make_event(payload=BAD_PAYLOAD) for _ in range(3)])
    flush()
    letters = [str(chunks.event_id(chunk, number)) for number in range(3)]
    post(root, "ingest/deadletter/", action=action, _selected_action=letters, post="yes")
    entry = the_entry()
    assert entry.action == f"dead_letter.{verb}"
    assert 3 in entry.changes.values()


def test_a_key_made_by_a_command() -> None:
    call_command("create_key", "robot", stdout=StringIO())
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.object_name) == ("command", "key.create", "robot")


def test_the_log_is_to_be_read_only(root: Client) -> None:
    entry = AuditEntry.objects.create(actor="a", action="b.c", object_type="b")
    assert root.get("/admin/access/auditentry/").status_code == 200
    assert root.get(f"/admin/access/auditentry/{entry.pk}/change/").status_code == 200
    for address in ("add/", f"{entry.pk}/delete/"):
        assert root.post(f"/admin/access/auditentry/{address}", {"post": "yes"}).status_code == 403
    assert root.post(f"/admin/access/auditentry/{entry.pk}/change/", {"actor": "x"}).status_code == 403
    assert AuditEntry.objects.get().actor == "a"


def test_an_edited_letter_shows_what_was_edited_and_stores_no_nul(api: Client) -> None:
    chunk = push_chunk(make_stream(), [make_event(payload=BAD_PAYLOAD)])
    flush()
    body = {"payload": {"nul": "none", "password": "hush"}}
    address = f"/api/dead-letters/{chunks.event_id(chunk, 0)}/replay/"
    assert api.post(address, body, content_type="application/json").json()["stored"] == 1
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.changes["stored"]) == ("dead_letter.edit", 1)
    assert entry.changes["payload"] == {
        "nul": {"old": "\N{REPLACEMENT CHARACTER}", "new": "none"},
        "password": {"new": "(hidden)"},
    }
