"""`/api/datasets/`, as a program uses it."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from access.models import Role
from datasets.models import Dataset
from sources.models import Upload
from tests.datasets.making import make_dataset
from tests.datasets.uploading import CSV, make_upload
from tests.people import browser, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

EVENTS = {
    "streams": ["sensors"],
    "types": ["reading"],
    "conditions": {"payload.on": "true", "q": "pump"},
    "window": {"last": "24h"},
}


def post(api: Client, body: Any, path: str = "/api/datasets/") -> Any:
    return api.post(path, body, content_type="application/json")


def patch(api: Client, pk: int, body: Any) -> Any:
    return api.patch(f"/api/datasets/{pk}/", body, content_type="application/json")


def names(answer: Any) -> list[str]:
    return [one["name"] for one in answer.json()["results"]]


def test_a_dataset_is_made_shown_changed_and_deleted(api: Client) -> None:
    body = {"name": "Pumps", "description": "That run.", "tags": ["a", "b"], "kind": "events", "definition": EVENTS}
    answer = post(api, body)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made.items() >= {**body, "version": 1, "owner": "test", "rows": None, "columns": None}.items()
    assert made["may_change"] is True
    [task] = api.get(f"/api/tasks/?dataset={made['id']}").json()["results"]
    assert (task["kind"], task["status"]) == ("schema", "pending")
    changed = patch(api, made["id"], {"tags": ["c"]}).json()
    assert (changed["tags"], changed["version"], changed["definition"]) == (["c"], 1, EVENTS)
    changed = patch(api, made["id"], {"definition": {"streams": ["others"]}, "kind": "events"}).json()
    assert (changed["version"], changed["definition"]) == (2, {"streams": ["others"]})
    assert api.get(f"/api/datasets/{made['id']}/").json() == changed
    assert api.delete(f"/api/datasets/{made['id']}/").status_code == 204
    assert api.get(f"/api/datasets/{made['id']}/").status_code == 404
    assert api.get("/api/tasks/").json()["results"] == []


@pytest.mark.parametrize(
    ("kind", "definition", "pointer"),
    [
        ("events", {"streams": []}, "/streams"),
        ("events", {"window": {"last": "2 moons"}}, "/window/last"),
        ("events", {"window": {"starts_at": "2026-01-31T12:00:00"}}, "/window/starts_at"),
        ("records", {"conditions": {"payload.a": "1"}}, "/conditions/payload.a"),
        ("events", {"conditions": {"payload.a": 1}}, "/conditions"),
        ("events", {"streams": ["a", 5]}, "/streams/1"),
        ("records", {"streams": ["a"]}, ""),
        ("upload", {}, ""),
        ("upload", {"upload": "00000000-0000-4000-8000-000000000000"}, "/upload"),
        ("events", [], ""),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_by_the_place(
    api: Client, kind: str, definition: Any, pointer: str
) -> None:
    answer = post(api, {"name": "d", "kind": kind, "definition": definition})
    assert answer.status_code == 400
    [problem] = answer.json()["fields"]["definition"]
    assert problem["pointer"] == pointer, problem
    assert problem["message"].endswith((".", ":"))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "taken"}, "name"),
        ({"name": ""}, "name"),
        ({"kind": "guess"}, "kind"),
        ({"definition": None}, "definition"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"tags": "many"}, "tags"),
        ({"description": "x" * 10_001}, "description"),
    ],
)
def test_what_is_wrong_with_other_fields_is_said(api: Client, body: dict[str, Any], field: str) -> None:
    make_dataset("taken")
    answer = post(api, {"name": "d", "kind": "events", "definition": {}, **body})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_a_kind_cannot_be_changed(api: Client) -> None:
    answer = patch(api, make_dataset().pk, {"kind": "records"})
    assert answer.json()["fields"] == {"kind": ["It cannot be changed: make another dataset."]}


def test_listings_are_searched_filtered_ordered_and_paged(api: Client) -> None:
    for number, name in enumerate(["pears", "apples", "Apple pie"]):
        make_dataset(name, owner=f"user:{number}", streams=[name.partition(" ")[0]])
    Dataset.objects.filter(name="apples").update(tags=["fruit", "red"], rows=5, description="no pear")
    Dataset.objects.filter(name="pears").update(rows=9)
    make_dataset("file", "upload", upload=str(make_upload().pk))
    assert names(api.get("/api/datasets/?q=APPLE")) == ["Apple pie", "apples"]
    assert names(api.get("/api/datasets/?q=pear")) == ["apples", "pears"]
    assert names(api.get("/api/datasets/?tag=red")) == names(api.get("/api/datasets/?q=red")) == ["apples"]
    assert names(api.get("/api/datasets/?kind=upload")) == ["file"]
    assert names(api.get("/api/datasets/?ordering=-rows")) == ["pears", "apples", "file", "Apple pie"]
    assert names(api.get("/api/datasets/?ordering=created_at")) == ["pears", "apples", "Apple pie", "file"]
    assert api.get("/api/datasets/?ordering=owner").status_code == 400
    first = api.get("/api/datasets/?ordering=created_at&limit=3").json()
    assert names(api.get(first["next"])) == ["file"]


@pytest.mark.parametrize("path", ["/api/datasets/", "/api/tasks/"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("knid=events", "no such parameter; there are cursor, "),
        ("kind=events&kind=upload", "twice"),
        ("kind=", "empty"),
    ],
)
def test_parameters_of_listings_are_not_ignored(api: Client, path: str, query: str, said: str) -> None:
    answer = api.get(f"{path}?{query}&limit=5")
    assert answer.status_code == 400
    [(name, [message])] = answer.json()["fields"].items()
    assert (name, said in message) == (query.partition("=")[0], True)


def test_ones_own_are_found(api: Client) -> None:
    make_dataset("of ana")
    post(api, {"name": "mine", "kind": "events", "definition": {}})
    assert names(api.get("/api/datasets/?owner=mine")) == ["mine"]
    assert names(api.get("/api/datasets/?owner=ana")) == ["of ana"]


def test_a_dataset_is_made_of_a_file_that_was_sent(api: Client) -> None:
    upload = api.post("/api/uploads/?name=prices.csv", CSV, content_type="text/csv").json()
    document = {"upload": upload["id"], "decode": {"format": "csv"}}
    answer = post(api, {"name": "prices", "kind": "upload", "definition": document})
    assert answer.status_code == 201, answer.content
    refused = api.delete(f"/api/uploads/{upload['id']}/")
    assert (refused.status_code, refused.json()["error"]) == (409, "in_use")
    api.delete(f"/api/datasets/{answer.json()['id']}/")
    assert not Upload.objects.exists()


def test_a_file_becomes_a_dataset_in_one_step(api: Client, settings: Settings) -> None:
    answer = api.post("/api/datasets/upload/?name=prices%20of%20may.csv", CSV, content_type="text/csv")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    upload = Upload.objects.get()
    assert (made["name"], made["kind"], made["definition"]) == (
        "prices of may.csv",
        "upload",
        {"upload": str(upload.pk)},
    )
    assert (upload.kept, upload.size) == (True, len(CSV))
    for query, field in ("name=prices%20of%20may.csv", "name"), ("name=a.csv&dataset=prices%20of%20may.csv", "dataset"):
        taken = api.post(f"/api/datasets/upload/?{query}", CSV, content_type="text/csv")
        assert (taken.status_code, list(taken.json()["fields"])) == (400, [field])
    other = api.post("/api/datasets/upload/?name=prices%20of%20may.csv&dataset=May", CSV, content_type="text/csv")
    assert (other.status_code, other.json()["name"]) == (201, "May")
    settings.SOURCES_MAX_UPLOAD_BYTES = 10
    large = api.post("/api/datasets/upload/?name=large.csv", CSV, content_type="text/csv")
    assert (large.status_code, list(large.json()["fields"])) == (400, ["file"])
    settings.SOURCES_MAX_UPLOAD_BYTES, settings.UPLOADS_MAX_BYTES_PER_OWNER = 1000, 2 * len(CSV)
    for address in ("/api/datasets/upload/", "/api/uploads/"):
        [said] = api.post(f"{address}?name=third.csv", CSV, content_type="text/csv").json()["fields"]["file"]
        assert "UPLOADS_MAX_GB_PER_OWNER" in said
    assert Upload.objects.count() == Dataset.objects.count() == 2


def test_an_operator_sends_files_and_makes_datasets_of_their_own_ones() -> None:
    client = browser(person(Role.OPERATOR, stream="mine"))
    answer = client.post("/api/datasets/upload/?name=a.csv", CSV, content_type="text/csv")
    assert answer.status_code == 201
    assert answer.json()["may_change"] is True
    strange = make_upload(created_by="user:0")
    body = {"name": "d", "kind": "upload", "definition": {"upload": str(strange.pk)}}
    assert "There is no upload" in post(client, body).json()["fields"]["definition"][0]["message"]


def test_a_dataset_is_made_of_what_one_may_operate_on() -> None:
    client = browser(person(Role.OPERATOR, stream="mine"))
    for definition, said in ({"streams": ["mine", "other"]}, "the stream 'other'"), ({}, "all streams"):
        answer = post(client, {"name": "d", "kind": "events", "definition": definition})
        assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")
        assert said in answer.json()["detail"]
    made = post(client, {"name": "d", "kind": "events", "definition": {"streams": ["mine"]}}).json()
    assert patch(client, made["id"], {"definition": {"streams": ["other"]}}).status_code == 403
    assert patch(client, made["id"], {"name": "renamed"}).status_code == 200


def test_others_may_use_it_and_not_change_it() -> None:
    dataset = make_dataset(streams=["mine"])
    client = browser(person(Role.OPERATOR))
    assert client.get(f"/api/datasets/{dataset.pk}/").json()["may_change"] is False
    for answer in (patch(client, dataset.pk, {"name": "x"}), client.delete(f"/api/datasets/{dataset.pk}/")):
        assert (answer.status_code, answer.json()["detail"][:20]) == (403, "It belongs to ana: t")
    assert post(client, {"kind": "schema"}, f"/api/datasets/{dataset.pk}/process/").status_code == 202


@pytest.mark.parametrize("address", ["/api/datasets/upload/", "/api/uploads/"])
@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [(b"", "text/csv", "empty"), (b"--x\r\n\r\na\r\n--x--", "multipart/form-data; boundary=x", "--data-binary")],
)
def test_no_file_and_a_form_are_refused(api: Client, address: str, body: bytes, content_type: str, said: str) -> None:
    answer = api.generic("POST", f"{address}?name=a.csv", body, content_type)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Dataset.objects.exists()


def test_members_that_there_are_not_are_named(api: Client) -> None:
    pk = make_dataset().pk
    renamed = patch(api, pk, {"naem": "x"})
    asked = post(api, {"kind": "profile", "frehs": True}, f"/api/datasets/{pk}/process/")
    for answer, name in ((renamed, "naem"), (asked, "frehs")):
        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == [name]
