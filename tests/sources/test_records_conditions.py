"""`/api/records/` and its export find what the words of the documentation say, as events do."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from pyarrow import parquet as pq
from pytest_django import Settings

from sources import export
from sources.models import Record, Source
from sources.reading import RecordQuery
from sources.selection import RECORDS
from tests.ingest.conditions import exact, holds
from tests.ingest.factory import read_in_pieces

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VALUES = [
    '{"n": 1, "at": {"x": 2.50}, "tags": ["a", 1], "text": "Main pump"}',
    '{"n": "1", "odd__name": true, "none": null, "text": "an oil leak"}',
    '{"n": 12345678901234567890.5, "a.b": "dotted"}',
    '"just a text"',
    "[1, 2]",
]
TEXTS = ["1", '"1"', "2.5", "a", "pump", "12345678901234567890.5"]


@pytest.fixture(autouse=True)
def stored(db: None) -> None:
    source = Source.objects.create(name="shop", definition={})
    for number, value in enumerate(VALUES):
        times = {"created_at": NOW, "updated_at": NOW + timedelta(seconds=number)}
        Record.objects.create(key=f"k{number}", value=0, hash=b"x", source=source if number < 2 else None, **times)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE record SET value = %s::jsonb WHERE key = %s", [value, f"k{number}"])


def ask(api: Client, path: str = "", **query: Any) -> Any:
    return api.get(f"/api/records/{path}?{urlencode(query, doseq=True)}")


def keys(api: Client, **query: Any) -> list[str]:
    answer = ask(api, **query)
    assert answer.status_code == 200, answer.content
    return [record["key"] for record in answer.json()["results"]]


@pytest.mark.parametrize("operator", ["eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "exists"])
@pytest.mark.parametrize("path", ["n", "at.x", "tags.0", "text", "none"])
def test_conditions_mean_what_they_mean_for_events(api: Client, path: str, operator: str) -> None:
    for text in TEXTS if operator != "exists" else ["true", "false"]:
        found = [holds(exact(value), path.split("."), operator, text) for value in VALUES]
        expected = [f"k{number}" for number, is_found in enumerate(found) if is_found]
        assert keys(api, **{f"value.{path}__{operator}": text}) == expected, text


def test_words_containment_and_the_other_filters_go_together(api: Client) -> None:
    assert keys(api, q="pump or leak") == ["k0", "k1"]
    assert keys(api, **{"value@": '{"at": {"x": 2.5}}'}) == ["k0"]
    assert keys(api, **{"value@": '{"a.b": "dotted"}'}) == ["k2"]
    assert keys(api, **{"value.odd__name__eq": "true"}) == ["k1"]
    assert keys(api, source_name="shop", q="pump") == ["k0"]
    assert keys(api, search="leak", source_name="shop", updated_after=NOW.isoformat()) == ["k1"]
    assert keys(api, source=999) == []


def test_fields_choose_what_is_shown(api: Client) -> None:
    results = ask(api, fields="key,value.at.x,source_name", source_name="shop").json()["results"]
    assert results == [
        {"key": "k0", "value.at.x": 2.5, "source_name": "shop"},
        {"key": "k1", "value.at.x": None, "source_name": "shop"},
    ]
    assert b"12345678901234567890.5" in ask(api, fields="value.n").content


def test_a_record_in_the_list_is_the_record_by_itself(api: Client) -> None:
    for record in ask(api).json()["results"]:
        assert record == api.get(f"/api/records/{record['id']}/").json()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("sourcename=shop", "sourcename"),
        ("payload.n=1", "payload.n"),
        ("value.n__above=1", "value.n__above"),
        ("value.a..b=1", "value.a..b"),
        ("value@={", "value@"),
        ("fields=id,nothing", "fields"),
        ("fields=payload.n", "fields"),
        ("key=", "key"),
        ("key=a&key=b", "key"),
        ("source=shop", "source"),
        ("source=99999999999999999999", "source"),
        ("starts_at=soon", "starts_at"),
        ("q=%20", "q"),
    ],
)
def test_wrong_parameters_are_named(api: Client, query: str, name: str) -> None:
    for path in ("", "export/"):
        answer = api.get(f"/api/records/{path}?{query}")
        assert (answer.status_code, set(answer.json()["fields"])) == (400, {name}), answer.content
    assert api.get("/api/records/export/?limit=1").json()["fields"].keys() == {"limit"}


@pytest.mark.parametrize("path", ["", "export/?format=csv", "export/?format=ndjson", "export/?format=parquet"])
def test_a_query_that_takes_too_long_is_given_up(api: Client, settings: Settings, path: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO record (key, value, hash, created_at, updated_at) SELECT 'm' || n, to_jsonb((SELECT"
            " string_agg(md5((i + n)::text), ' ') FROM generate_series(1, 1000) AS i)), '', now(), now()"
            " FROM generate_series(1, 300) AS n"
        )
    settings.QUERY_TIMEOUT_SECONDS = 0.02
    answer = api.get(f"/api/records/{path}{'&' if path else '?'}q=nowhere")
    assert (answer.status_code, answer.json()["error"]) == (503, "query_too_slow")
    assert "Name a source" in answer.json()["detail"]


def rows_of(format: str, body: bytes) -> list[list[Any]]:
    if format == "csv":
        return [line.split(",") for line in body.decode().split("\r\n")[1:-1]]
    if format == "ndjson":
        return [list(json.loads(line).values()) for line in body.splitlines()]
    return [list(row.values()) for row in pq.read_table(io.BytesIO(body)).to_pylist()]


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet"])
def test_a_file_holds_what_is_selected(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in_pieces(monkeypatch, rows=2)
    selection = RECORDS.parse_selection("key,value.n")
    body = b"".join(export.file(format, RecordQuery(), selection))
    rows = rows_of(format, body)
    assert [row[0] for row in rows] == [f"k{number}" for number in range(5)]
    assert rows[1][1] == {"csv": "1", "ndjson": "1", "parquet": '"1"'}[format]
    assert rows[3][1] == {"csv": "", "ndjson": None, "parquet": None}[format]


def test_parquet_has_the_types_of_all_fields() -> None:
    found = pq.read_table(io.BytesIO(b"".join(export.file("parquet", RecordQuery(source_name="shop"), None))))
    [first, _] = found.to_pylist()
    assert (first["source_name"], first["key"], first["updated_at"]) == ("shop", "k0", NOW)
    assert isinstance(first["source"], int)
    assert json.loads(first["value"]) == json.loads(VALUES[0])
    assert found.schema.field("starts_at").type.tz == "UTC"
