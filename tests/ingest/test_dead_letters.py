from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from access.keys import create_key
from access.models import Scope
from ingest import chunks
from ingest.flush import flush
from ingest.models import DeadLetter, Event, RollupMinute, RollupTotal
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def make_letters(count: int = 1, *, stream: str = "sensors", key: str | None = None) -> list[DeadLetter]:
    """Events that were refused for a reason that has gone away since: their payload is made good."""
    events = [make_event(key=key and f"{key}{n}", payload=BAD_PAYLOAD) for n in range(count)]
    chunk_id = push_chunk(make_stream(stream), events)
    flush()
    for number in range(count):
        good = f'{{"number": {number}}}'
        DeadLetter.objects.filter(id=chunks.event_id(chunk_id, number)).update(payload=good)
    return list(DeadLetter.objects.filter(stream__name=stream).order_by("id"))


def replay(api: Client, letter: DeadLetter) -> Any:
    return api.post(f"/api/dead-letters/{letter.id}/replay/", content_type="application/json")


def test_dead_letters_are_listed_with_payload_and_reason(api: Client) -> None:
    push_chunk(make_stream(), [make_event(payload=BAD_PAYLOAD)])
    flush()
    [letter] = api.get("/api/dead-letters/").json()["results"]
    assert (letter["stream"], letter["payload"], letter["reason"], letter["attempts"]) == (
        "sensors",
        BAD_PAYLOAD.decode(),
        "UntranslatableCharacter",
        1,
    )


def test_dead_letters_are_filtered(api: Client) -> None:
    make_letters(2)
    make_letters(1, stream="other")
    for query, expected in [("", 3), ("stream=other", 1), ("reason=Nothing", 0), ("type=reading", 3)]:
        assert len(api.get(f"/api/dead-letters/?{query}").json()["results"]) == expected, query


def test_a_replayed_event_keeps_its_id(api: Client) -> None:
    [letter] = make_letters()
    answer = replay(api, letter)
    assert answer.json() == {"stored": 1, "duplicates": 0, "dead": 0}
    event = Event.objects.get()
    assert (event.id, event.received_at, event.payload) == (letter.id, letter.received_at, {"number": 0})
    assert not DeadLetter.objects.exists()


def test_a_replay_that_is_refused_again_counts_its_attempts(api: Client) -> None:
    push_chunk(make_stream(), [make_event(payload=BAD_PAYLOAD)])
    flush()
    letter = DeadLetter.objects.get()
    assert replay(api, letter).json() == {"stored": 0, "duplicates": 0, "dead": 1}
    assert DeadLetter.objects.get().attempts == 2


def test_many_are_replayed_by_filter(api: Client) -> None:
    make_letters(5)
    make_letters(2, stream="other")
    assert api.post("/api/dead-letters/replay/?stream=sensors").json()["stored"] == 5
    assert DeadLetter.objects.count() == 2


def test_a_replay_whose_key_was_stored_meanwhile_is_a_duplicate(api: Client) -> None:
    [letter] = make_letters(key="k")
    assert letter.stream
    push_chunk(letter.stream, [make_event(9, key="k0")])
    flush()
    assert replay(api, letter).json() == {"stored": 0, "duplicates": 1, "dead": 0}
    assert Event.objects.get().payload == {"number": 9}


def test_the_counts_follow_a_replay(api: Client) -> None:
    make_letters(3)
    api.post("/api/dead-letters/replay/")
    row = RollupMinute.objects.get()
    assert (row.events, row.dead) == (3, 0)


def test_a_chunk_of_a_newer_version_can_be_replayed_once_it_is_understood(api: Client) -> None:
    stream = make_stream()
    chunk = chunks.encode(chunks.new_chunk_id(), [(stream.pk, [make_event(4)])])
    from ingest import buffer

    newer = chunk[:16] + chunk[16:].replace(b"\x92\x01", b"\x92\x02", 1)
    buffer.push(0, newer, 1)
    flush()
    letter = DeadLetter.objects.get()
    assert replay(api, letter).json()["dead"] == 1
    import base64

    DeadLetter.objects.update(payload=base64.b64encode(chunk).decode())
    assert replay(api, letter).json()["stored"] == 1
    assert Event.objects.get().id == letter.id
    assert RollupMinute.objects.get().dead == 0


def test_discarding_needs_the_scope_and_removes_for_good(api: Client) -> None:
    letters = make_letters(3)
    _, token = create_key("reader", [Scope.READ])
    reader = Client(headers={"authorization": f"Bearer {token}"})
    assert reader.delete(f"/api/dead-letters/{letters[0].id}/").status_code == 403
    assert api.delete(f"/api/dead-letters/{letters[0].id}/").status_code == 204
    assert api.post("/api/dead-letters/discard/").json() == {"discarded": 2, "remaining": 0}
    assert not DeadLetter.objects.exists()


def test_what_was_discarded_no_longer_counts_as_dead(api: Client) -> None:
    letters = make_letters(3)
    assert RollupMinute.objects.get().dead == RollupTotal.objects.get().dead == 3
    api.delete(f"/api/dead-letters/{letters[0].id}/")
    assert RollupMinute.objects.get().dead == RollupTotal.objects.get().dead == 2
    api.post("/api/dead-letters/discard/")
    assert RollupMinute.objects.get().dead == RollupTotal.objects.get().dead == 0


def test_a_key_of_another_stream_can_neither_see_nor_replay(api: Client) -> None:
    [letter] = make_letters()
    _, token = create_key("other", list(Scope), streams=["other"])
    bound = Client(headers={"authorization": f"Bearer {token}"})
    assert bound.get("/api/dead-letters/").json()["results"] == []
    assert replay(bound, letter).status_code == 404
    assert bound.post("/api/dead-letters/replay/").json()["stored"] == 0


def test_staff_replays_in_the_admin() -> None:
    letters = make_letters(2)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root", password="p"))
    assert client.get("/admin/ingest/deadletter/").status_code == 200
    selected = {"action": "replay", "_selected_action": [str(letter.id) for letter in letters]}
    answer = client.post("/admin/ingest/deadletter/", selected, follow=True)
    assert b"2 stored, 0 duplicates, 0 refused again." in answer.content
    assert Event.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_letter_that_is_being_replayed_elsewhere_is_left_alone(api: Client) -> None:
    import threading

    from django.db import transaction

    [letter] = make_letters()
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(DeadLetter.objects.select_for_update().filter(id=letter.id))
            locked.set()
            done.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    try:
        answer = api.post("/api/dead-letters/replay/").json()
        assert answer == {"stored": 0, "duplicates": 0, "dead": 0, "remaining": 1}
    finally:
        done.set()
        holder.join()
