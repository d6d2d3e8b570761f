"""Testing a source whose file was uploaded."""

import io
from typing import Any

import msgspec
import pytest

from sources import trying, uploads
from sources.definition import Definition
from sources.models import Upload

pytestmark = pytest.mark.django_db

GONE = "00000000-0000-4000-8000-000000000000"


def report_of(upload: object) -> dict[str, Any]:
    document = {
        "version": 1,
        "extract": {"kind": "file", "upload": str(upload)},
        "load": {"kind": "upsert", "key": ["id"]},
    }
    return trying.test(msgspec.convert(document, Definition), {})


def test_a_file_that_is_there_can_be_read() -> None:
    report = report_of(uploads.store(io.BytesIO(b"id\n1\n"), "a.csv").pk)
    assert (report["reachable"], report["authorised"], report["error"]) == (True, True, "")


@pytest.mark.parametrize("upload", [GONE, "no-id"])
def test_a_file_that_is_gone_is_named_with_what_to_do(upload: str) -> None:
    report = report_of(upload)
    assert (report["reachable"], report["error"]) == (False, "bad_definition")
    assert upload in report["detail"]
    assert "send the file again" in report["detail"]


def test_half_a_file_is_none() -> None:
    assert not report_of(Upload.objects.create(name="a.csv", size=10).pk)["reachable"]
