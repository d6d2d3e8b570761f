"""What is sent, and that the bare COPY is given the same."""

from uuid import uuid4

import orjson

from bench import bare
from bench.events import BATCH, PATH, batch_requests, blocks_of, make_batches, single_requests
from ingest.rows import COLUMNS, NULL

EVENTS = 1_250


def test_every_event_is_in_one_batch_and_measures_about_130_bytes() -> None:
    batches = make_batches(EVENTS, with_ids=False)
    events = [event for body in batches.bodies for event in orjson.loads(body)]
    assert [len(orjson.loads(body)) for body in batches.bodies] == [BATCH, BATCH, EVENTS - 2 * BATCH]
    assert [event["reading"] for event in events] == list(range(EVENTS))
    assert batches.mean_event_bytes == sum(len(orjson.dumps(event)) for event in events) / EVENTS
    assert 120 <= batches.mean_event_bytes <= 140


def test_the_copied_rows_have_the_columns_and_bytes_of_the_events() -> None:
    batches = make_batches(EVENTS, with_ids=True)
    rows = [line.split(b"\t") for line in b"".join(batches.copy_blocks(7)).splitlines()]
    events = [event for body in batches.bodies for event in orjson.loads(body)]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert len({row[0] for row in rows}) == EVENTS
    for row, event in zip(rows, events, strict=True):
        named = dict(zip(COLUMNS, row, strict=True))
        assert named["stream_id"] == b"7"
        assert named["key"].decode() == event["id"]
        assert named["type"].decode() == event["type"]
        assert named["payload"] == orjson.dumps(event)


def test_without_ids_no_row_has_a_key() -> None:
    rows = b"".join(make_batches(10, with_ids=False).copy_blocks(1)).splitlines()
    assert {row.split(b"\t")[COLUMNS.index("key")] for row in rows} == {NULL.encode()}


def test_gathering_blocks_neither_loses_nor_reorders_bytes() -> None:
    blocks = [bytes([65 + n]) * n for n in range(1, 12)]
    gathered = list(blocks_of(blocks, 20))
    assert b"".join(gathered) == b"".join(blocks)
    assert all(len(block) >= 20 for block in gathered[:-1])


def test_a_request_says_its_path_key_and_length() -> None:
    head, _, body = single_requests(1, "dh_secret")[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST {PATH} HTTP/1.1\r\n".encode())
    assert b"Authorization: Bearer dh_secret\r\n" in head
    assert head.endswith(b"Content-Length: %d" % len(body))
    assert orjson.loads(body)["reading"] == 0


def test_the_bare_answer_is_as_long_as_ours() -> None:
    assert len(bare.BODY) == len(orjson.dumps({"id": str(uuid4())}))


def test_requests_hold_the_numbers_asked_for_and_are_longer_by_the_padding() -> None:
    plain, padded = (batch_requests(range(3, 28), 10, "key", padding) for padding in (0, 500))
    bodies = [orjson.loads(request.partition(b"\r\n\r\n")[2]) for request in plain]
    assert [[event["reading"] for event in body] for body in bodies] == [
        list(range(3, 13)),
        list(range(13, 23)),
        list(range(23, 28)),
    ]
    assert all(len(long) - len(short) > 500 * 5 for long, short in zip(padded, plain, strict=True))
