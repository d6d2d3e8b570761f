"""A dead letter that is mended by hand and replayed."""

import base64
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from access.keys import create_key
from access.models import Scope
from ingest import buffer, chunks
from ingest.flush import flush
from ingest.models import DeadLetter, Duplicate, Event, RollupMinute
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def make_letter(*, key: str | None = None, payload: bytes = BAD_PAYLOAD, **settings: Any) -> DeadLetter:
    push_chunk(make_stream(**settings), [make_event(key=key, payload=payload)])
    flush()
    return DeadLetter.objects.get()


def replay(client: Client, letter: DeadLetter, body: str) -> Any:
    return client.post(f"/api/dead-letters/{letter.id}/replay/", body, content_type="application/json")


def test_it_is_stored_with_the_new_payload_under_its_id(api: Client) -> None:
    letter = make_letter()
    assert replay(api, letter, '{"payload": {"nul": "gone"}}').json() == {"stored": 1, "duplicates": 0, "dead": 0}
    event = Event.objects.get()
    assert (event.id, event.received_at, event.payload) == (letter.id, letter.received_at, {"nul": "gone"})
    assert not DeadLetter.objects.exists()
    row = RollupMinute.objects.get()
    assert (row.events, row.dead) == (1, 0)


def test_numbers_are_stored_as_they_were_written(api: Client) -> None:
    letter = make_letter()
    replay(api, letter, '{"payload": {"n": 12345678901234567890.10}}')
    assert b"12345678901234567890.10" in api.get(f"/api/events/{letter.id}/").content


def test_a_second_replay_finds_nothing(api: Client) -> None:
    letter = make_letter()
    replay(api, letter, '{"payload": {"n": 1}}')
    assert replay(api, letter, '{"payload": {"n": 2}}').status_code == 404
    assert Event.objects.get().payload == {"n": 1}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (r'{"nul": "\u0000"}', "nul_character"),
        ('{"n": 1e999}', "number_out_of_range"),
        ("[1]", "not_an_object"),
        ("1", "not_an_object"),
        ('{"n": }', "malformed_json"),
    ],
)
def test_what_would_be_refused_at_ingestion_is_refused_and_the_letter_stays(
    api: Client, payload: str, code: str
) -> None:
    letter = make_letter()
    answer = replay(api, letter, f'{{"payload": {payload}}}')
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    kept = DeadLetter.objects.get()
    assert (kept.payload, kept.attempts) == (BAD_PAYLOAD.decode(), 1)


def test_the_schema_of_the_stream_holds_for_it_too(api: Client) -> None:
    letter = make_letter(schema={"required": ["site"]}, schema_mode="enforce")
    assert replay(api, letter, '{"payload": {"n": 1}}').json()["error"] == "schema_violation"
    assert replay(api, letter, '{"payload": {"site": "oslo"}}').json()["stored"] == 1


def test_an_object_that_looks_like_a_batch_is_one_event(api: Client) -> None:
    letter = make_letter()
    assert replay(api, letter, '{"payload": {"batch": [{"n": 1}, {"n": 2}]}}').json()["stored"] == 1
    assert Event.objects.get().payload == {"batch": [{"n": 1}, {"n": 2}]}


def test_key_and_type_from_headers_outlive_the_edit(api: Client) -> None:
    letter = make_letter(key="from-header")
    replay(api, letter, '{"payload": {"n": 1}}')
    event = Event.objects.get()
    assert (event.key, event.type) == ("from-header", "reading")


def test_a_key_that_the_edit_changes_is_the_new_one(api: Client) -> None:
    letter = make_letter(key="old", payload=b'{"id": "old", "nul": "\\u0000"}')
    replay(api, letter, '{"payload": {"id": "new", "type": "alarm"}}')
    event = Event.objects.get()
    assert (event.key, event.type) == ("new", "alarm")


def test_an_edit_into_a_key_that_is_stored_is_a_duplicate(api: Client) -> None:
    letter = make_letter()
    assert letter.stream
    push_chunk(letter.stream, [make_event(9, key="taken")])
    flush()
    assert replay(api, letter, '{"payload": {"id": "taken"}}').json() == {"stored": 0, "duplicates": 1, "dead": 0}
    assert Duplicate.objects.get().id == letter.id


def test_an_unknown_member_beside_the_payload_is_refused(api: Client) -> None:
    letter = make_letter()
    answer = replay(api, letter, '{"paylaod": {"n": 1}}')
    assert answer.status_code == 400
    assert "paylaod" in answer.json()["detail"]
    assert DeadLetter.objects.exists()


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_a_form_is_not_taken_for_an_empty_body(api: Client, content_type: str) -> None:
    letter = make_letter()
    body = '{"payload": {"n": 1}}'
    answer = api.post(f"/api/dead-letters/{letter.id}/replay/", body, content_type=content_type)
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")
    assert DeadLetter.objects.get().attempts == 1


def test_a_chunk_that_cannot_be_read_cannot_be_edited(api: Client) -> None:
    chunk = chunks.encode(chunks.new_chunk_id(), [(make_stream().pk, [make_event()])])
    buffer.push(0, chunk[:16] + chunk[16:].replace(b"\x92\x01", b"\x92\x02", 1), 1)
    flush()
    letter = DeadLetter.objects.get()
    assert base64.b64decode(letter.payload)
    assert replay(api, letter, '{"payload": {"n": 1}}').json()["error"] == "not_editable"


def test_editing_needs_the_scope_manage() -> None:
    letter = make_letter()
    _, token = create_key("reader", [Scope.READ])
    reader = Client(headers={"authorization": f"Bearer {token}"})
    assert replay(reader, letter, '{"payload": {"n": 1}}').status_code == 403
    assert DeadLetter.objects.exists()


def test_a_page_with_a_session_may_edit_too(settings: Settings) -> None:
    """Its token is checked before the body is read."""
    get_user_model().objects.create_superuser("someone", password="secret")
    client = Client(enforce_csrf_checks=True)
    client.login(username="someone", password="secret")
    client.get("/dead-letters/")
    letter, token = make_letter(), client.cookies[settings.CSRF_COOKIE_NAME].value
    answer = client.post(
        f"/api/dead-letters/{letter.pk}/replay/",
        {"payload": {"a": 1}},
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert (answer.status_code, answer.json()["stored"]) == (200, 1)
