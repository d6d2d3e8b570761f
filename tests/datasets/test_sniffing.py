"""A file that is plainly not what its name says is refused when it is sent, with a sentence; nothing of it stays."""

import gzip
from typing import Any

import pyarrow
import pytest
from django.test import Client

from datasets.models import Dataset
from sources.models import Upload
from tests.datasets.files import parquet_of
from tests.datasets.uploading import CSV, make_upload
from tests.sources.test_decode_xlsx import workbook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

PARQUET = parquet_of(pyarrow.table({"n": [1, 2]}))
WORKBOOK = workbook([["a"], [1]])
NOISE = bytes(range(256)) * 20


def send(api: Client, name: str, content: bytes) -> Any:
    return api.post(f"/api/datasets/upload/?name={name}", content, content_type="application/octet-stream")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.parquet", b"PAX1" + PARQUET[4:], "no readable Parquet file: it does not begin as one"),
        ("a.parquet", CSV, "no readable Parquet file: it does not begin as one"),
        ("a.parquet", PARQUET[:-1], "no readable Parquet file: its end is missing"),
        ("a.parquet", b"PAR1", "no readable Parquet file: its end is missing"),
        ("a.csv", PARQUET[:40], "no readable Parquet file: its end is missing"),
        ("a.xlsx", CSV, "no Excel workbook (.xlsx)"),
        ("a.xlsx", NOISE, "no Excel workbook (.xlsx)"),
        ("a.xlsx", WORKBOOK[: len(WORKBOOK) // 2], "broken or cut off"),
        ("a.csv", NOISE, "not UTF-8, nor any text that is known"),
        ("a.csv", b'[{"a": 1}]', "looks like JSON, not like CSV"),
        ("a.csv", b"%PDF-1.7", "a PDF document"),
        ("a.csv.gz", gzip.compress(b"\x89PNG\r\n", mtime=0), "a picture"),
        ("a.json", CSV, "no JSON of rows, it begins with 'id,name,price"),
        ("a.json", NOISE, "no JSON of rows"),
        ("a.json", b"<?xml version='1.0'?><a/>", "looks like XML, not like json"),
        ("a.ndjson", CSV, "no JSON of rows"),
    ],
    ids=lambda part: "content" if isinstance(part, bytes) else part,
)
def test_what_is_no_file_of_its_format_is_refused(api: Client, name: str, content: bytes, said: str) -> None:
    answer = send(api, name, content)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["file"])
    assert said in answer.json()["fields"]["file"][0]
    assert not Upload.objects.exists()
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", PARQUET),
        ("a.csv", PARQUET),
        ("a.xlsx", WORKBOOK),
        ("a.csv", WORKBOOK),
        ("a.csv", CSV),
        ("a.csv", "größe,preis\n1,2\n".encode("latin-1")),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("a.json", b' \xef\xbb\xbf{"a": 1}'[1:]),
        ("a.json", '[{"a": 1}]'.encode("utf-16")),
        ("a.ndjson", b'# readings\n{"a": 1}\n'),
        ("a", CSV),
    ],
    ids=lambda part: "content" if isinstance(part, bytes) else part,
)
def test_what_can_be_read_is_taken_whatever_its_name(api: Client, name: str, content: bytes) -> None:
    assert send(api, name, content).status_code == 201


@pytest.mark.parametrize("decode", [{}, {"format": "parquet"}])
def test_the_place_in_a_definition_is_named(api: Client, decode: dict[str, str]) -> None:
    upload = make_upload(NOISE, "a.parquet", "key:1")
    body = {"name": "d", "kind": "upload", "definition": {"upload": str(upload.pk), "decode": decode}}
    answer = api.post("/api/datasets/", body, content_type="application/json")
    [problem] = answer.json()["fields"]["definition"]
    assert (answer.status_code, problem["pointer"]) == (400, "/upload")
    assert "no readable Parquet file" in problem["message"]
