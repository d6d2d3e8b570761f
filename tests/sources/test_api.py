"""`/api/data_sources/`, `/api/runs/`, `/api/uploads/`, as a program uses them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from sources import execution
from sources.models import Source
from tests.sources.provider import Provider, data, running, status, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

ROWS = [{"id": number, "name": f"n{number}"} for number in range(3)]


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    settings.SOURCES_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as provider:
        yield provider


def post(api: Client, path: str, body: Any = None) -> Any:
    return api.post(path, body, content_type="application/json")


def definition(url: str, **more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "extract": {"kind": "http", "url": url},
        "load": {"kind": "upsert", "key": ["id"]},
        **more,
    }


def make(api: Client, **fields: Any) -> dict[str, Any]:
    answer = post(api, "/api/data_sources/", {"name": "s", **fields})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_the_short_form_is_written_out_and_runs(api: Client, provider: Provider) -> None:
    url = provider.on("/rows.json", data(ROWS))
    made = make(api, endpoint_url=url, every="30m", key="id")
    assert made["definition"]["schedule"] == {"every_seconds": 1800.0}
    assert (made["version"], made["active"], made["failures"]) == (1, True, 0)
    run = post(api, f"/api/data_sources/{made['id']}/run/").json()
    assert (run["status"], run["trigger"]) == ("pending", "api")
    assert post(api, f"/api/data_sources/{made['id']}/run/").status_code == 409
    assert execution.work(10) == 1
    ended = api.get(f"/api/runs/{run['id']}/").json()
    assert (ended["status"], ended["counts"]["inserted"], ended["statuses"]) == ("success", 3, {"200": 1})
    assert ended["log"][-1]["message"].startswith("Done: 3 decoded")
    records = api.get(f"/api/records/?source={made['id']}").json()["results"]
    assert [record["value"] for record in records] == ROWS
    assert api.get(f"/api/data_sources/{made['id']}/").json()["last_run"]["id"] == run["id"]


def test_whats_wrong_with_a_definition_is_said_by_the_place(api: Client) -> None:
    wrong = definition("ftp://example.org/x", map=[{"to": "a", "from": "[["}], surprise=1)
    answer = post(api, "/api/data_sources/", {"name": "s", "definition": wrong})
    assert answer.status_code == 400
    pointers = {problem["pointer"] for problem in answer.json()["fields"]["definition"]}
    assert pointers >= {"/extract/url", "/surprise"}, pointers
    bad_expression = definition("https://example.org/x", map=[{"to": "a", "from": "[["}])
    answer = post(api, "/api/data_sources/", {"name": "s", "definition": bad_expression})
    assert [problem["pointer"] for problem in answer.json()["fields"]["definition"]] == ["/map/0/from"]
    assert not Source.objects.exists()


def test_each_change_is_a_version_and_the_older_are_kept(api: Client) -> None:
    made = make(api, definition=definition("https://example.org/1"))
    path = f"/api/data_sources/{made['id']}/"
    changed = api.patch(path, {"definition": definition("https://example.org/2")}, content_type="application/json")
    assert changed.json()["version"] == 2
    same = api.patch(path, {"active": False}, content_type="application/json").json()
    assert (same["version"], same["active"]) == (2, False)
    versions = api.get(f"{path}versions/").json()
    assert [(one["version"], one["definition"]["extract"]["url"]) for one in versions] == [
        (2, "https://example.org/2"),
        (1, "https://example.org/1"),
    ]


def test_a_secret_is_used_and_never_shown_and_gone_with_its_host(api: Client, provider: Provider) -> None:
    url = provider.on("/rows.json", data(ROWS))
    document = definition(url)
    document["extract"]["auth"] = {"kind": "bearer", "secret": "token"}
    made = make(api, definition=document, secrets={"token": "hush-hush"})
    assert made["secret_names"] == ["token"]
    post(api, f"/api/data_sources/{made['id']}/run/")
    execution.work(10)
    assert provider.asked("/rows.json")[0].headers["authorization"] == "Bearer hush-hush"
    path = f"/api/data_sources/{made['id']}/"
    run = api.get(path).json()["last_run"]
    seen = b"".join(api.get(one).content for one in (path, f"{path}versions/", f"/api/runs/{run['id']}/"))
    assert b"hush-hush" not in seen
    document["extract"]["url"] = "https://elsewhere.example/rows.json"
    moved = api.patch(path, {"definition": document}, content_type="application/json").json()
    assert moved["secret_names"] == []


def test_it_can_be_tested_and_looked_at_before_it_is_saved(api: Client, provider: Provider) -> None:
    rows = [*ROWS, {"id": 9, "at": "2021-09-31"}, 7]
    url = provider.on("/rows.json", data(rows))
    fields = [
        {"to": "id", "from": "id", "type": "integer"},
        {"to": "at", "from": "at", "type": "time"},
    ]
    document = definition(url, map=fields, filter={"field": "id", "op": "gt", "value": 0})
    report = post(api, "/api/data_sources/test/", {"definition": document}).json()
    assert (report["reachable"], report["authorised"], report["status"]) == (True, True, 200)
    shown = post(api, "/api/data_sources/preview/", {"definition": document}).json()
    assert [len(shown[step]) for step in ("decoded", "normalized", "mapped", "filtered", "rejected")] == [4, 4, 3, 2, 2]
    assert {row["code"] for row in shown["rejected"]} == {"not_an_object", "bad_time"}
    assert shown["warnings"] == []
    document["extract"]["pagination"] = {"kind": "page"}
    assert "error" not in post(api, "/api/data_sources/preview/", {"definition": document}).json()
    mistyped = definition(url, map=[*fields, {"to": "city", "from": "adress.city"}])
    [warning] = post(api, "/api/data_sources/preview/", {"definition": mistyped}).json()["warnings"]
    assert warning["pointer"] == "/map/2/from"
    assert warning["message"].startswith("adress.city is in none of these rows; the first has id, ")
    refused = provider.on("/secret.json", status(401))
    report = post(api, "/api/data_sources/test/", {"definition": definition(refused)}).json()
    assert (report["reachable"], report["authorised"], report["status"]) == (True, False, 401)
    assert not Source.objects.exists()


def test_addresses_inside_are_refused(api: Client, provider: Provider, settings: Settings) -> None:
    settings.SOURCES_ALLOWED_HOSTS = []
    report = post(api, "/api/data_sources/test/", {"definition": definition(f"{provider.url}/x")}).json()
    assert (report["reachable"], report["error"]) == (False, "address_refused")
    assert provider.requests == []


def test_a_file_becomes_records(api: Client) -> None:
    sent = api.post("/api/uploads/?name=prices.csv", b"id,price\n1,2.50\n2,3.75\n", content_type="text/csv")
    assert sent.status_code == 201, sent.content
    upload = sent.json()
    assert (upload["name"], upload["size"]) == ("prices.csv", 23)
    document = {
        "version": 1,
        "extract": {"kind": "file", "upload": upload["id"]},
        "map": [{"to": "id", "from": "id", "type": "integer"}, {"to": "price", "from": "price", "type": "number"}],
        "load": {"kind": "replace", "key": ["id"]},
    }
    made = make(api, definition=document)
    post(api, f"/api/data_sources/{made['id']}/run/")
    execution.work(10)
    assert [record["value"] for record in api.get("/api/records/").json()["results"]] == [
        {"id": 1, "price": 2.5},
        {"id": 2, "price": 3.75},
    ]


def test_a_failed_run_can_be_tried_again_and_a_pending_one_cancelled(api: Client, provider: Provider) -> None:
    url = provider.on("/rows.json", status(404), data(ROWS))
    made = make(api, endpoint_url=url, key="id")
    failed = post(api, f"/api/data_sources/{made['id']}/run/").json()
    execution.work(10)
    assert api.get(f"/api/runs/{failed['id']}/").json()["error"] == "http_404"
    retried = post(api, f"/api/runs/{failed['id']}/retry/")
    assert (retried.status_code, retried.json()["trigger"]) == (202, "retry")
    assert post(api, f"/api/runs/{retried.json()['id']}/cancel/").json()["status"] == "cancelled"
    again = post(api, f"/api/runs/{retried.json()['id']}/retry/").json()
    execution.work(10)
    assert api.get(f"/api/runs/{again['id']}/").json()["status"] == "success"
    assert post(api, f"/api/runs/{again['id']}/retry/").status_code == 409
    failed_runs = api.get("/api/runs/?status=failed").json()["results"]
    assert [run["id"] for run in failed_runs] == [failed["id"]]


def test_what_is_tried_may_have_the_name_of_a_source_and_says_which_rows_have_no_key(
    api: Client, provider: Provider
) -> None:
    url = provider.on("/rows.json", data([{"id": 1, "n": 1}, {"n": 2}]))
    body = {"name": "s", "definition": definition(url)}
    make(api, **body)
    shown = post(api, "/api/data_sources/preview/", body).json()
    assert [row["n"] for row in shown["filtered"]] == [1, 2]
    assert [(row["step"], row["code"]) for row in shown["rejected"]] == [("load", "no_key")]
    assert shown["suggestions"]["keys"] == ["n"]


def test_a_database_that_was_not_asked_is_said_to_be_neither_there_nor_away(api: Client) -> None:
    extract = {"kind": "sql", "url": "postgresql://reader@db.example.org/shop", "secret": "password", "table": "t"}
    report = post(api, "/api/data_sources/test/", {"definition": {**definition("http://x"), "extract": extract}}).json()
    assert (report["reachable"], report["authorised"], report["error"]) == (None, None, "bad_definition")


def test_a_preview_says_in_which_row_and_field_a_run_would_fail(api: Client, provider: Provider) -> None:
    url = provider.on("/rows.json", data([{"id": 1, "n": "1"}, {"id": 2, "n": "two"}, {"id": 3, "n": "3"}]))
    fields = [{"to": "id", "from": "id"}, {"to": "count", "from": "n", "type": "integer", "on_error": "fail"}]
    answer = post(api, "/api/data_sources/preview/", {"definition": definition(url, map=fields)})
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert shown["error"] == "mapping_failed"
    assert shown["detail"].startswith("Row 2: count: ")
    assert (len(shown["decoded"]), shown["filtered"]) == (3, [{"id": 1, "count": 1}])


def test_a_preview_shows_numbers_of_any_length(api: Client, provider: Provider) -> None:
    row = b'{"id":1,"n":123456789012345678901234567890,"x":0.12345678901234567890123}'
    url = provider.on("/rows.json", whole(b"[" + row + b"]", Content_Type="application/json"))
    rejected = {"map": [{"to": "id", "from": "n", "type": "time"}]}
    shown = post(api, "/api/data_sources/preview/", {"definition": definition(url)})
    assert row in shown.content
    shown = post(api, "/api/data_sources/preview/", {"definition": definition(url, **rejected)})
    assert shown.json()["rejected"][0]["row"] == row.decode()
