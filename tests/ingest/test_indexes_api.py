"""`/api/streams/{stream}/indexes/`."""

from typing import Any

import pytest
from django.test import Client

from ingest import field_indexes
from ingest.models import FieldIndex
from ingest.tasks import index as build_indexes
from tests.ingest.factory import make_stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean", "no_index_left")]

ADDRESS = "/api/streams/sensors/indexes/"
SITE = {"path": "payload.site", "kind": "text"}


def post(api: Client, body: Any, address: str = ADDRESS) -> Any:
    return api.post(address, body, content_type="application/json")


def test_an_index_is_wished_for_made_listed_and_deleted(api: Client) -> None:
    make_stream()
    made = post(api, SITE)
    assert made.status_code == 201, made.content
    assert {**SITE, "state": "building", "built": 0, "bytes": 0, "error": ""}.items() <= made.json().items()
    build_indexes()
    [listed] = api.get(ADDRESS).json()
    assert (listed["state"], listed["built"], listed["id"]) == ("ready", listed["partitions"], made.json()["id"])
    assert listed["bytes"] >= 8192 * listed["partitions"]
    assert api.delete(f"{ADDRESS}{listed['id']}/").status_code == 204
    assert api.get(ADDRESS).json() == []
    build_indexes()
    assert field_indexes.parts() == []


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"path": "site", "kind": "text"}, {"path"}),
        ({"path": "payload.a..b", "kind": "text"}, {"path"}),
        ({"path": f"payload.{'x' * 200}", "kind": "text"}, {"path"}),
        ({"path": "payload.site", "kind": "date"}, {"kind"}),
        ({}, {"path", "kind"}),
    ],
)
def test_what_cannot_be_an_index_is_explained(api: Client, body: Any, names: set[str]) -> None:
    make_stream()
    answer = post(api, body)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, names)


def test_an_index_is_made_once_and_not_too_many(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_stream()
    monkeypatch.setattr(field_indexes, "MOST_OF_A_STREAM", 2)
    assert [post(api, {**SITE, "kind": kind}).status_code for kind in ("text", "text", "number")] == [201, 400, 201]
    assert "at most 2" in post(api, {"path": "payload.b", "kind": "text"}).json()["fields"]["path"][0]
    assert FieldIndex.objects.count() == 2


def test_an_index_is_found_in_its_own_stream_only(api: Client) -> None:
    make_stream()
    made = post(api, SITE).json()
    make_stream("doors")
    assert api.delete(f"/api/streams/doors/indexes/{made['id']}/").status_code == 404
    assert post(api, SITE, "/api/streams/nothing/indexes/").status_code == 404


def test_names_are_no_sql(api: Client) -> None:
    make_stream()
    for path in ("payload.a'b", "payload.%s", 'payload."); DROP TABLE event; --', "payload.0.Zoë"):
        for kind in ("text", "number"):
            assert post(api, {"path": path, "kind": kind}).status_code == 201, path
    build_indexes()
    assert {one["state"] for one in api.get(ADDRESS).json()} == {"ready"}
