"""All dead letters of a filter, replayed or discarded batch by batch."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from ingest import buffer, chunks
from ingest.flush import flush
from ingest.models import DeadLetter, Event
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def make_letters(bad: int, good: int = 0) -> None:
    """`good` of them, the newest, may be stored now; the others are refused again."""
    push_chunk(make_stream(), [make_event(payload=BAD_PAYLOAD) for _ in range(bad + good)])
    flush()
    newest = DeadLetter.objects.order_by("-id").values_list("id", flat=True)[:good]
    DeadLetter.objects.filter(id__in=list(newest)).update(payload="{}")


def act(api: Client, action: str, **parameters: object) -> Any:
    return api.post(f"/api/dead-letters/{action}/?{urlencode(parameters)}").json()


def replay_until_done(api: Client, started_at: datetime) -> list[Any]:
    answers: list[Any] = []
    while not answers or answers[-1]["remaining"]:
        answers.append(act(api, "replay", limit=2, ends_at=started_at.isoformat()))
        assert len(answers) < 10
    return answers


def test_a_batch_takes_the_oldest_and_says_how_many_remain(api: Client) -> None:
    make_letters(bad=0, good=5)
    oldest = set(DeadLetter.objects.order_by("id").values_list("id", flat=True)[:2])
    assert act(api, "replay", limit=2) == {"stored": 2, "duplicates": 0, "dead": 0, "remaining": 3}
    assert set(Event.objects.values_list("id", flat=True)) == oldest


def test_repeating_comes_past_those_that_are_refused_again(api: Client) -> None:
    make_letters(bad=3, good=3)
    answers = replay_until_done(api, timezone.now())
    assert sum(answer["stored"] for answer in answers) == 3
    assert sum(answer["dead"] for answer in answers) == 3
    assert list(DeadLetter.objects.values_list("attempts", flat=True)) == [2, 2, 2]


def test_repeating_ends_when_a_chunk_still_cannot_be_read(api: Client) -> None:
    chunk = chunks.encode(chunks.new_chunk_id(), [(make_stream().pk, [make_event()])])
    buffer.push(0, chunk[:16] + chunk[16:].replace(b"\x92\x01", b"\x92\x02", 1), 1)
    flush()
    [answer] = replay_until_done(api, timezone.now())
    assert (answer["dead"], DeadLetter.objects.get().attempts) == (1, 2)


def test_discarding_goes_in_batches_too(api: Client) -> None:
    make_letters(bad=5)
    assert act(api, "discard", limit=2, stream="sensors") == {"discarded": 2, "remaining": 3}
    assert act(api, "discard", limit=2, stream="other") == {"discarded": 0, "remaining": 0}
    assert act(api, "discard", stream="sensors") == {"discarded": 3, "remaining": 0}


@pytest.mark.parametrize("limit", ["0", "-1", "10001", "many"])
def test_a_limit_that_makes_no_sense_does_nothing(api: Client, limit: str) -> None:
    make_letters(bad=1)
    for action in ("replay", "discard"):
        assert act(api, action, limit=limit)["error"] == "invalid"
    assert DeadLetter.objects.get().attempts == 1


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_a_mistyped_parameter_does_not_select_everything(api: Client, action: str) -> None:
    make_letters(bad=0, good=2)
    answer = api.post(f"/api/dead-letters/{action}/?streem=sensors")
    assert answer.status_code == 400
    assert "streem" in answer.json()["fields"]
    assert DeadLetter.objects.count() == 2
