"""Schemas of streams: what they may be, and that a bad one harms nobody."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from ingest.models import Stream
from ingest.schemas import MOST_BYTES, InvalidSchema, compile_schema
from ingest.streams import known_streams
from tests.ingest.posting import Poster


def nested(levels: int) -> Any:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"type": 5},
        {"pattern": r"^(a|aa)+(?=b)\1$"},
        {"description": "x" * MOST_BYTES},
        ["no object"],
        True,
        {"const": "\0"},
        {"const": "\ud800"},
        nested(1000),
    ],
    ids=["remote", "file", "no schema", "back reference", "large", "array", "boolean", "nul", "surrogate", "deep"],
)
def test_what_reaches_out_or_cannot_be_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidSchema):
        compile_schema(schema)


def test_a_pattern_may_name_nul() -> None:
    assert compile_schema({"pattern": r"^[^\u0000]*$"}).is_valid("text")


def test_references_within_the_schema_are_followed() -> None:
    validator = compile_schema({"$ref": "#/$defs/n", "$defs": {"n": {"required": ["n"]}}})
    assert validator.is_valid({"n": 1})
    assert not validator.is_valid({})


def test_a_pattern_costs_time_in_proportion_to_the_text() -> None:
    validator = compile_schema({"properties": {"a": {"pattern": "^(a|aa)+$"}}})
    assert not validator.is_valid({"a": "a" * 50_000 + "b"})


@pytest.mark.django_db
def test_a_schema_that_cannot_be_used_is_ignored_and_stops_no_other_stream(caplog: pytest.LogCaptureFixture) -> None:
    Stream.objects.create(name="broken", schema={"type": 5}, schema_mode="enforce")
    Stream.objects.create(name="good")
    broken, good = known_streams.find("broken"), known_streams.find("good")
    assert broken is not None
    assert (broken.rules.validator, broken.rules.schema_mode) == (None, "off")
    assert good is not None
    assert "The schema of the stream broken is ignored" in caplog.text


@pytest.mark.django_db
def test_the_admin_refuses_it_too() -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root", password="p"))
    form = {"name": "s", "schema": '{"type": 5}', "schema_mode": "warn"}
    answer = client.post("/admin/ingest/stream/add/", form)
    assert b"Not a JSON Schema that can be used here" in answer.content
    assert not Stream.objects.exists()


async def test_many_new_streams_at_once_are_all_made(post: Poster) -> None:
    import asyncio

    answers = await asyncio.gather(*(post({}, path=f"/api/streams/s{n % 20}/events/") for n in range(60)))
    assert {answer.status for answer in answers} == {202}
    assert await Stream.objects.acount() == 20
