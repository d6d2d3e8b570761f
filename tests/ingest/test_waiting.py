"""`Prefer: wait`, with a flush worker played by a thread."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection

from ingest.flush import flush
from ingest.models import Stream
from ingest.waiting import MOST_SECONDS, wait_seconds
from tests.ingest.factory import BAD_PAYLOAD, make_event, push_chunk
from tests.ingest.posting import Poster


@pytest.fixture
def flushing() -> Iterator[None]:
    """Flushes all the time, as the worker and beat would."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            flush()
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    yield
    stop.set()
    worker.join()


@pytest.mark.usefixtures("flushing")
async def test_after_the_commit_the_answer_says_what_was_stored(post: Poster) -> None:
    answer = await post([{"id": "a"}, {"id": "b"}, {"id": "a"}], prefer="wait=10")
    assert answer.status == 200
    assert answer.body == {"accepted": 3, "rejected": 0, "stored": 2, "duplicates": 1, "dead": 0}


@pytest.mark.usefixtures("flushing")
async def test_a_single_event_can_be_waited_for(post: Poster) -> None:
    answer = await post({}, prefer="respond-async, wait=10")
    assert (answer.status, answer.body["stored"]) == (200, 1)


async def test_when_the_time_is_up_it_is_a_202(post: Poster) -> None:
    answer = await post({}, prefer="wait=1")
    assert (answer.status, set(answer.body)) == (202, {"id"})


@pytest.mark.usefixtures("flushing")
async def test_requests_that_shared_a_chunk_are_each_told_of_their_own(post: Poster) -> None:
    import asyncio

    await post({}, prefer="wait=5")
    answers = await asyncio.gather(*(post([{"id": n}, {"id": n}, {}], prefer="wait=10") for n in range(10)))
    assert [(answer.body["stored"], answer.body["duplicates"]) for answer in answers] == [(2, 1)] * 10


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ('wait = "7"', 7),
        ("return=minimal, wait=3", 3),
        ("wait=3;x=1", 3),
        ("await=3", 0),
        ("wait", 0),
        ("wait=soon", 0),
        ("wait=999999", MOST_SECONDS),
    ],
)
def test_the_header_is_read_as_rfc_7240_has_it(header: str, seconds: float) -> None:
    assert wait_seconds(header) == seconds


@pytest.mark.usefixtures("redis_clean", "transactional_db")
def test_the_dead_are_told_apart() -> None:
    from ingest.waiting import Stored, outcome

    stream = Stream.objects.create(name="s")
    chunk_id = push_chunk(stream, [make_event(1), make_event(payload=BAD_PAYLOAD), make_event(2)])
    assert outcome(chunk_id, 0, 3) is None
    flush()
    assert outcome(chunk_id, 0, 3) == Stored(stored=2, duplicates=0, dead=1)
    assert outcome(chunk_id, 2, 1) == Stored(stored=1, duplicates=0, dead=0)
