"""The contract of `POST /api/events/`: statuses, bodies, and what is in the buffer afterwards."""

import asyncio
import gzip
import zlib
from unittest.mock import Mock
from uuid import UUID

import pytest
import zstandard
from asgiref.sync import sync_to_async
from django.db import OperationalError
from pytest_django import Settings

from ingest import buffer, chunks
from ingest.models import Stream
from tests.ingest.posting import Poster


def buffered() -> list[tuple[str | None, bytes]]:
    """Key and payload of all events in the buffer, in their order."""
    waiting = [chunk for shard in buffer.waiting_shards() for chunk in buffer.peek(shard, 1 << 20)]
    batches = [batch for chunk in sorted(waiting) for batch in chunks.decode(chunk)]
    return [(key, payload) for _, events in batches for key, _, _, payload in events]


async def test_one_object_is_one_event(post: Poster) -> None:
    answer = await post(b' {"id": "a", "n": 1.10} ')
    assert answer.status == 202
    assert UUID(answer.body["id"]).version == 7
    assert buffered() == [("a", b'{"id": "a", "n": 1.10}')]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'[{"n":1},{"n":2}]'),
        ("application/json", b'{"batch": [{"n":1}, {"n":2}]}'),
        ("application/x-ndjson", b'{"n":1}\n\n{"n":2}\n'),
        ("application/jsonl; charset=utf-8", b'{"n":1}\r\n{"n":2}'),
    ],
)
async def test_a_batch_is_counted(post: Poster, content_type: str, body: bytes) -> None:
    answer = await post(body, content_type=content_type)
    assert (answer.status, answer.body) == (202, {"accepted": 2, "rejected": 0})
    assert buffered() == [(None, b'{"n":1}'), (None, b'{"n":2}')]


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
async def test_a_compressed_body_is_unpacked(post: Poster, encoding: str, compress: object) -> None:
    answer = await post(compress(b'[{"n":1}]'), content_encoding=encoding)  # type: ignore[operator]
    assert answer.body["accepted"] == 1


async def test_a_rejected_event_costs_its_neighbours_nothing(post: Poster) -> None:
    answer = await post(b'[{"n":1},{"n":"\\u0000"},7,{"n":2}]', query="ids=1")
    assert answer.status == 202
    assert (answer.body["accepted"], answer.body["rejected"]) == (2, 2)
    assert [(error["index"], error["code"]) for error in answer.body["errors"]] == [
        (1, "nul_character"),
        (2, "not_an_object"),
    ]
    assert [id is not None for id in answer.body["ids"]] == [True, False, False, True]
    assert [payload for _, payload in buffered()] == [b'{"n":1}', b'{"n":2}']


async def test_errors_are_listed_up_to_a_hundred_and_counted_all(post: Poster) -> None:
    answer = await post([1] * 250 + [{}])
    assert (answer.body["rejected"], len(answer.body["errors"])) == (250, 100)


async def test_a_batch_without_a_good_event_is_refused_with_the_reasons(post: Poster) -> None:
    answer = await post([1, 2])
    assert (answer.status, answer.body["error"]) == (400, "all_events_rejected")
    assert [error["code"] for error in answer.body["errors"]] == ["not_an_object", "not_an_object"]
    assert buffered() == []


async def test_a_refused_single_event_has_its_own_code(post: Poster) -> None:
    answer = await post(b'{"a": NaN}')
    assert (answer.status, answer.body["error"]) == (400, "number_not_finite")
    assert answer.body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "empty_body"),
        (b"[]", {}, 400, "no_events"),
        (b'{"a": ', {}, 400, "malformed_json"),
        (b'{"a": "\xff"}', {}, 400, "invalid_utf8"),
        (b"{}", {"content_type": "application/xml"}, 415, "unsupported_media_type"),
        (b"{}", {"content_encoding": "br"}, 415, "unsupported_encoding"),
        (b"{}", {"content_encoding": "gzip"}, 400, "bad_encoding"),
        (b"{}", {"idempotency_key": "two words"}, 400, "invalid_idempotency_key"),
        (b"[{},{}]", {"idempotency_key": "k"}, 400, "idempotency_key_on_batch"),
        (b"{}", {"authorization": None}, 401, "not_authenticated"),
        (b"{}", {"authorization": "Bearer nonsense"}, 401, "not_authenticated"),
        (b"{}", {"authorization": "Digest x"}, 401, "not_authenticated"),
    ],
)
async def test_a_refused_request_is_told_why(
    post: Poster, body: bytes, headers: dict[str, str | None], status: int, code: str
) -> None:
    answer = await post(body, **headers)  # type: ignore[arg-type]
    assert (answer.status, answer.body["error"]) == (status, code)
    assert set(answer.body) >= {"error", "detail", "request_id"}
    assert buffered() == []


async def test_a_body_over_the_limit_is_refused_with_the_limit(post: Poster, settings: Settings) -> None:
    settings.MAX_BODY_BYTES = 100
    for encoding, body in [(None, b"[" + b" " * 200 + b"{}]"), ("gzip", gzip.compress(b"[" + b" " * 200 + b"{}]"))]:
        answer = await Poster(type(post.endpoint)(post.endpoint), post.token)(body, content_encoding=encoding)
        assert (answer.status, answer.body["error"]) == (413, "payload_too_large")
        assert "100 bytes" in answer.body["detail"]


async def test_too_many_events_are_refused_with_the_limit(post: Poster) -> None:
    answer = await post([{}] * 10_001)
    assert (answer.status, answer.body["error"]) == (413, "too_many_events")
    assert "10000" in answer.body["detail"]


async def test_the_idempotency_key_header_overrides_the_payload(post: Poster) -> None:
    await post({"id": "inner"}, idempotency_key='"outer"')
    assert buffered()[0][0] == "outer"


async def test_the_clients_request_id_comes_back_with_an_error(post: Poster) -> None:
    answer = await post(b"", x_request_id="mine-1")
    assert answer.body["request_id"] == "mine-1"


async def test_a_stream_is_made_by_its_first_event(post: Poster) -> None:
    await post({}, path="/api/streams/new.one/events/")
    assert await Stream.objects.aget(name="new.one")


async def test_a_new_stream_waits_for_a_database_that_is_away(post: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.endpoint.create_stream", Mock(side_effect=OperationalError))
    answer = await post({}, path="/api/streams/new/events/")
    assert (answer.status, answer.body["error"], answer.headers["retry-after"]) == (503, "database_unreachable", "1")


async def test_a_stream_name_that_cannot_be_is_refused(post: Poster) -> None:
    answer = await post({}, path="/api/streams/no good/events/")
    assert (answer.status, answer.body["error"]) == (400, "invalid_stream_name")


async def test_without_a_stream_it_is_the_default_one(post: Poster) -> None:
    await post({}, path="/api/events/")
    assert [stream.name async for stream in Stream.objects.all()] == ["default"]


@pytest.mark.parametrize("path", ["/api/events", "/api/streams/sensors/events"])
async def test_the_final_slash_may_be_left_out(post: Poster, path: str) -> None:
    assert (await post({}, path=path)).status == 202


async def test_a_stream_says_where_key_time_and_type_stand(post: Poster) -> None:
    await Stream.objects.acreate(name="sensors", key_path="meta.uid", type_path="kind", time_path="-")
    await post(b'{"meta": {"uid": 7}, "kind": "t", "id": "x", "time": "2026-01-31T00:00:00Z"}')
    [shard] = await sync_to_async(buffer.waiting_shards)()
    [(_, [event])] = chunks.decode(buffer.peek(shard, 1 << 20)[0])
    assert event[:3] == ("7", "t", None)


async def test_an_enforced_schema_refuses_and_a_warning_one_warns(post: Poster) -> None:
    schema = {"required": ["n"]}
    await Stream.objects.acreate(name="strict", schema=schema, schema_mode="enforce")
    await Stream.objects.acreate(name="mild", schema=schema, schema_mode="warn")
    strict = await post([{}, {"n": 1}], path="/api/streams/strict/events/")
    mild = await post([{}, {"n": 1}], path="/api/streams/mild/events/")
    assert [error["code"] for error in strict.body["errors"]] == ["schema_violation"]
    assert (mild.body["accepted"], [warning["index"] for warning in mild.body["warnings"]]) == (2, [0])


async def test_everything_else_goes_on_to_django(post: Poster) -> None:
    answer = await post({}, path="/api/keys/")
    assert (answer.status, answer.body) == (404, {"error": "django"})


async def test_a_draining_process_answers_what_is_under_way(post: Poster) -> None:
    await post({})
    waiting = asyncio.create_task(post({}, prefer="wait=1"))
    await asyncio.sleep(0.1)
    await post.endpoint.drain(5)
    assert waiting.done()
    assert (await waiting).status == 202


async def test_a_draining_process_takes_nothing(post: Poster) -> None:
    await post({})
    await post.endpoint.drain(5)
    answer = await post({})
    assert (answer.status, answer.body["error"], answer.headers["retry-after"]) == (503, "draining", "1")
