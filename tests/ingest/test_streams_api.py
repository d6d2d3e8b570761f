import pytest
from django.test import Client

from access.keys import create_key
from access.models import Scope
from ingest.flush import flush
from ingest.models import Stream
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def test_a_stream_shows_what_it_holds(api: Client) -> None:
    stream = make_stream()
    push_chunk(stream, [make_event(1, key="k"), make_event(2, key="k"), make_event(payload=BAD_PAYLOAD)])
    flush()
    shown = api.get("/api/streams/sensors/").json()
    assert {name: shown[name] for name in ("events", "bytes", "duplicates", "dead_letters")} == {
        "events": 1,
        "bytes": len(b'{"number":1}'),
        "duplicates": 1,
        "dead_letters": 1,
    }
    assert shown["last_minute"] is not None


def test_a_new_stream_holds_nothing(api: Client) -> None:
    shown = api.post("/api/streams/", {"name": "new", "key_path": "meta.id"}, content_type="application/json").json()
    assert (shown["name"], shown["key_path"], shown["events"], shown["last_minute"]) == ("new", "meta.id", 0, None)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "no good"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "x", "schema": {"type": 7}}, "schema"),
        ({"name": "x", "schema_mode": "sometimes"}, "schema_mode"),
        ({"name": "x", "schema_mode": "enforce"}, "schema_mode"),
        ({"name": "x", "retention_days": -1}, "retention_days"),
    ],
)
def test_what_cannot_be_is_refused_by_field(api: Client, fields: dict[str, object], wrong: str) -> None:
    answer = api.post("/api/streams/", fields, content_type="application/json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [wrong])


def test_a_name_is_taken_once_and_kept(api: Client) -> None:
    make_stream()
    assert api.post("/api/streams/", {"name": "sensors"}, content_type="application/json").status_code == 400
    answer = api.patch("/api/streams/sensors/", {"name": "other"}, content_type="application/json")
    assert answer.json()["fields"] == {"name": ["A stream keeps its name."]}


def test_settings_can_be_changed(api: Client) -> None:
    make_stream()
    answer = api.patch("/api/streams/sensors/", {"retention_days": 7}, content_type="application/json")
    assert (answer.status_code, Stream.objects.get().retention_days) == (200, 7)


def test_a_schema_that_is_enforced_is_not_taken_away(api: Client) -> None:
    strict = {"name": "x", "schema": {"required": ["a"]}, "schema_mode": "enforce"}
    assert api.post("/api/streams/", strict, content_type="application/json").status_code == 201
    answer = api.patch("/api/streams/x/", {"schema": None}, content_type="application/json")
    assert (answer.status_code, "schema_mode" in answer.json()["fields"]) == (400, True)
    without = {"schema": None, "schema_mode": "off"}
    assert api.patch("/api/streams/x/", without, content_type="application/json").status_code == 200


def test_a_stream_is_not_deleted_over_the_api(api: Client) -> None:
    make_stream()
    assert api.delete("/api/streams/sensors/").status_code == 405


def test_changing_needs_the_scope(db: None) -> None:
    make_stream()
    _, token = create_key("reader", [Scope.READ, Scope.INGEST])
    reader = Client(headers={"authorization": f"Bearer {token}"})
    assert reader.get("/api/streams/sensors/").status_code == 200
    answer = reader.patch("/api/streams/sensors/", {"retention_days": 7}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")
    assert "'manage'" in answer.json()["detail"]
