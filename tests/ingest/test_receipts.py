import pytest
from django.test import Client

from access.keys import create_key
from access.models import Scope
from ingest import chunks
from ingest.flush import flush
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def status(api: Client, id: object) -> object:
    answer = api.get(f"/api/events/{id}/")
    return answer.json()["status"] if answer.status_code == 200 else answer.status_code


def test_an_event_is_buffered_then_stored(api: Client) -> None:
    id = chunks.event_id(push_chunk(make_stream(), [make_event(0), make_event(1)]), 1)
    assert status(api, id) == "buffered"
    flush()
    answer = api.get(f"/api/events/{id}/").json()
    assert (answer["status"], answer["payload"]) == ("stored", {"number": 1})


def test_an_event_that_was_refused_is_dead_and_says_why(api: Client) -> None:
    id = push_chunk(make_stream(), [make_event(payload=BAD_PAYLOAD)])
    flush()
    answer = api.get(f"/api/events/{id}/").json()
    assert (answer["status"], answer["reason"]) == ("dead", "UntranslatableCharacter")


def test_a_duplicate_is_stored_under_the_id_of_its_original(api: Client) -> None:
    stream = make_stream()
    original = push_chunk(stream, [make_event(1, key="k")])
    duplicate = push_chunk(stream, [make_event(2, key="k")])
    flush()
    answer = api.get(f"/api/events/{duplicate}/").json()
    assert (answer["id"], answer["status"], answer["duplicate_of"]) == (str(duplicate), "stored", str(original))


def test_an_id_that_was_never_given_is_unknown(api: Client) -> None:
    chunk_id = push_chunk(make_stream(), [make_event()])
    assert status(api, chunks.new_chunk_id()) == 404
    assert status(api, chunks.event_id(chunk_id, 1)) == 404


def test_a_key_that_only_sends_sees_the_status_but_not_the_event() -> None:
    id = push_chunk(make_stream(), [make_event()])
    flush()
    _, token = create_key("sender", [Scope.INGEST])
    answer = Client(headers={"authorization": f"Bearer {token}"}).get(f"/api/events/{id}/")
    assert answer.json() == {"id": str(id), "status": "stored"}


def test_a_key_of_another_stream_learns_nothing() -> None:
    id = push_chunk(make_stream(), [make_event()])
    flush()
    _, token = create_key("other", [Scope.READ], streams=["other"])
    assert Client(headers={"authorization": f"Bearer {token}"}).get(f"/api/events/{id}/").status_code == 404
