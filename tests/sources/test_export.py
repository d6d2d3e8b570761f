"""Records as files: every one, all their fields, nothing that a spreadsheet would carry out."""

import csv
import io
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone

from access.keys import create_key
from access.models import Scope
from ingest.formulas import defused
from sources.models import Record, Source
from tests.ingest.factory import read_in_pieces

Get = Callable[..., Awaitable[Any]]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]


def record(key: str, value: Any, **fields: Any) -> Record:
    now = timezone.now()
    return Record.objects.create(key=key, value=value, hash=b"x", created_at=now, updated_at=now, **fields)


async def sync(function: Any, *arguments: Any, **named: Any) -> Any:
    return await sync_to_async(function)(*arguments, **named)


@pytest.fixture
def get() -> Get:
    headers = {"authorization": f"Bearer {create_key('reader', [Scope.READ])[1]}"}
    return partial(AsyncClient().get, headers=headers)


async def body(get: Get, **query: str) -> str:
    answer = await get("/api/records/export/", query)
    assert answer.status_code == 200, answer.content
    return b"".join([piece async for piece in answer.streaming_content]).decode()


async def table(get: Get, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(await body(get, **query), newline="")))


async def test_every_field_of_any_record_has_a_column(get: Get) -> None:
    source = await Source.objects.acreate(name="shop", definition={})
    await sync(record, "a", {"price": 1.50, "tags": ["x", {"y": 1}], "note": None}, source=source)
    await sync(record, "b", {"name": 'Zoë, "Z"\nx', "ok": True})
    await sync(record, "c", "text")
    rows = await table(get, format="csv")
    fixed = ["key", "source", "updated_at", "starts_at", "ends_at"]
    assert list(rows[0]) == [*fixed, "value.name", "value.note", "value.ok", "value.price", "value.tags", "value"]
    assert [(row["key"], row["source"]) for row in rows] == [("a", "shop"), ("b", ""), ("c", "")]
    assert (rows[0]["value.price"], json.loads(rows[0]["value.tags"])) == ("1.5", ["x", {"y": 1}])
    assert (rows[1]["value.name"], rows[1]["value.ok"], rows[1]["value.price"]) == ('Zoë, "Z"\nx', "true", "")
    assert rows[2]["value"] == "text"


async def test_numbers_keep_their_digits(get: Get) -> None:
    await sync(record, "a", {})
    with_digits = "UPDATE record SET value = '{\"n\": 12345678901234567890.12345678901234567890}'"
    await sync(lambda: connection.cursor().execute(with_digits))
    [row] = await table(get)
    assert row["value.n"] == "12345678901234567890.12345678901234567890"
    assert row["value.n"] in await body(get, format="ndjson")


@pytest.mark.parametrize(
    "text", ["=1+1", "+SUM(A1)", "-2+3", "@x", "\t=1", "\r=1", "\n=1", "＝1", "+34 600 000 000", "-"]
)
def test_what_could_be_a_formula_is_text(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+5.25", "-1.5e-7", "a=1", "", "'=1", "1+1"])
def test_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert defused(text) == text


async def test_no_cell_of_a_file_is_a_formula(get: Get) -> None:
    source = await Source.objects.acreate(name="-s", definition={})
    await sync(record, "=key", {"=name": "=1+cmd|' /C calc'!A0", "list": ["=1"], "n": -5}, source=source)
    [line] = list(csv.reader(io.StringIO(await body(get))))[1:]
    assert [cell for cell in line if cell[:1] in set("=+@")] == []
    header = (await body(get)).partition("\r\n")[0]
    assert "value.=name" in header
    assert (line[0], line[1], line[5], line[7]) == ("'=key", "'-s", "'=1+cmd|' /C calc'!A0", "-5")


async def test_the_filters_are_those_of_the_list(get: Get) -> None:
    for number in range(5):
        await sync(record, f"k{number}", {"n": number, "at": {"x": number % 2}})
    query = {"value.at.x": "0", "search": "k"}
    listed = (await get("/api/records/", query)).json()["results"]
    lines = [json.loads(line) for line in (await body(get, format="ndjson", **query)).splitlines()]
    assert lines == listed
    assert [line["key"] for line in lines] == ["k0", "k2", "k4"]


async def test_pieces_follow_each_other_without_a_gap(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_pieces(monkeypatch, rows=3)
    for number in range(7):
        await sync(record, f"k{number}", {"n": number})
    assert [row["value.n"] for row in await table(get)] == [str(number) for number in range(7)]


async def test_without_records_there_is_a_header_alone(get: Get) -> None:
    assert await body(get) == "key,source,updated_at,starts_at,ends_at\r\n"
    assert await body(get, format="ndjson") == ""


async def test_an_unknown_format_and_a_bad_filter_are_refused(get: Get) -> None:
    for query in ({"format": "xlsx"}, {"starts_at": "soon"}):
        answer = await get("/api/records/export/", query)
        assert answer.status_code == 400
        assert set(answer.json()["fields"]) == set(query)


async def test_who_may_not_read_gets_no_file() -> None:
    assert (await AsyncClient().get("/api/records/export/?format=csv")).status_code == 401


async def test_times_are_in_utc_and_end_with_z(get: Get) -> None:
    await sync(record, "a", 1, starts_at="2026-01-01T02:00:00+02:00")
    [row] = await table(get, format="csv")
    assert row["starts_at"] == "2026-01-01T00:00:00Z"
    assert row["updated_at"].endswith("Z")
