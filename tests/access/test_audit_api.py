"""`/api/audit/`: reading the audit log as a program does."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.keys import create_key
from access.models import AuditEntry, Scope

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def make(**fields: Any) -> AuditEntry:
    given = {"actor": "user:1", "actor_name": "boss", "action": "source.update", "object_type": "source", **fields}
    return AuditEntry.objects.create(**given)


def ids(api: Client, query: str) -> list[int]:
    answer = api.get(f"/api/audit/?{query}")
    assert answer.status_code == 200, answer.content
    return [entry["id"] for entry in answer.json()["results"]]


def test_a_change_shows_who_what_and_from_where(api: Client) -> None:
    api.post("/api/streams/", {"name": "s"}, content_type="application/json")
    headers = {"x-request-id": "mine"}
    api.patch("/api/streams/s/", {"retention_days": 7}, content_type="application/json", headers=headers)
    entry = api.get("/api/audit/").json()["results"][0]
    assert entry["actor"].startswith("key:")
    assert {name: entry[name] for name in ("actor_name", "action", "object_type", "object_name", "request_id")} == {
        "actor_name": "test",
        "action": "stream.update",
        "object_type": "stream",
        "object_name": "s",
        "request_id": "mine",
    }
    assert entry["changes"] == {"retention_days": {"old": None, "new": 7}}
    assert entry["address"] == "127.0.0.1"
    assert api.get(f"/api/audit/{entry['id']}/").json() == entry


def test_filters_find_by_actor_action_object_and_time(api: Client) -> None:
    now = timezone.now()
    old = make(at=now - timedelta(days=2), object_id="7", object_name="weather").pk
    other = make(actor="key:abc", actor_name="robot", action="run.request", object_type="run").pk
    assert ids(api, "actor=user:1") == ids(api, "actor=boss") == [old]
    assert ids(api, "action=run.request") == ids(api, "object=run") == [other]
    assert ids(api, "object=source:7") == ids(api, "object=source:weather") == [old]
    assert ids(api, "object=source:8") == []
    yesterday = (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (ids(api, f"until={yesterday}"), ids(api, f"since={yesterday}")) == ([old], [other])


def test_pages_follow_each_other_without_repeating(api: Client) -> None:
    made = [make().pk for _ in range(5)]
    first = api.get("/api/audit/?limit=3").json()
    make()
    second = api.get(first["next"]).json()
    assert [entry["id"] for entry in first["results"] + second["results"]] == made[::-1]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(api: Client, method: str) -> None:
    entry = make()
    for address in ("/api/audit/", f"/api/audit/{entry.pk}/"):
        assert getattr(api, method)(address, {}, content_type="application/json").status_code == 405
    entry.refresh_from_db()


@pytest.mark.parametrize(
    ("scopes", "streams"), [([Scope.READ, Scope.INGEST], []), ([Scope.READ, Scope.MANAGE], ["sensors"])]
)
def test_it_is_for_those_who_may_manage_everything(scopes: list[str], streams: list[str]) -> None:
    _, token = create_key("k", scopes, streams=streams)
    answer = Client(headers={"authorization": f"Bearer {token}"}).get("/api/audit/")
    assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")


def test_secrets_of_a_source_are_named_and_never_kept(api: Client) -> None:
    definition = {
        "version": 1,
        "extract": {
            "kind": "http",
            "url": "https://example.org/x?page=1",
            "headers": {"X-Api-Key": "hush-header"},
            "auth": {"kind": "bearer", "secret": "token"},
        },
        "load": {"kind": "upsert", "key": ["id"]},
    }
    body = {"name": "s", "definition": definition, "secrets": {"token": "hush-secret"}}
    made = api.post("/api/data_sources/", body, content_type="application/json").json()
    definition["extract"]["url"] = "https://elsewhere.example/x"  # type: ignore[index]
    address = f"/api/data_sources/{made['id']}/"
    api.patch(address, {"definition": definition}, content_type="application/json")
    changed, created = api.get("/api/audit/?object=source").json()["results"]
    assert created["changes"]["secrets"] == {"set": ["token"], "cleared": []}
    assert changed["changes"]["secrets"] == {"set": [], "cleared": ["token"]}
    assert changed["changes"]["definition.extract.url"]["new"] == "https://elsewhere.example/x"
    assert "hush" not in str(list(AuditEntry.objects.values()))
