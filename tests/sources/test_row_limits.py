"""limits.rows: the same for every kind of source, and at once."""

import io
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest_django import Settings

from sources import uploads
from sources.definition import Definition
from sources.errors import LimitExceeded
from sources.models import Run, Source, Trigger
from sources.origin import open_origin
from sources.rows import Item
from tests.sources.provider import data, running

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

ROWS = 6


@pytest.fixture(params=["file", "http", "sql"])
def extract(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Of a source with six rows."""
    if request.param == "http":
        settings.SOURCES_ALLOWED_HOSTS = ["127.0.0.1"]
        with running() as provider:
            yield {"kind": "http", "url": provider.on("/a", data([{"id": number} for number in range(ROWS)]))}
    elif request.param == "file":
        text = "id\n" + "".join(f"{number}\n" for number in range(ROWS))
        yield {"kind": "file", "upload": str(uploads.store(io.BytesIO(text.encode()), "a.csv").id)}
    else:
        with sqlite3.connect(tmp_path / "a.sqlite") as database:
            database.execute("CREATE TABLE a (id INTEGER)")
            database.executemany("INSERT INTO a VALUES (?)", [(number,) for number in range(ROWS)])
        database.close()
        content = (tmp_path / "a.sqlite").read_bytes()
        yield {"kind": "sql", "url": f"sqlite:{uploads.store(io.BytesIO(content), 'a.sqlite').id}", "table": "a"}


def taken(extract: dict[str, Any], most: int) -> Iterator[Item]:
    document = {"version": 1, "extract": extract, "load": {"kind": "upsert", "key": ["id"]}, "limits": {"rows": most}}
    run = Run(source=Source(pk=0, name="x"), version=0, trigger=Trigger.HAND, state_before={})
    with open_origin(msgspec.convert(document, Definition), run, {}, time.monotonic() + 20) as origin:
        yield from origin.items()


def test_as_many_rows_as_the_limit_are_read(extract: dict[str, Any]) -> None:
    assert len(list(taken(extract, ROWS))) == ROWS


def test_the_first_row_too_many_ends_the_run(extract: dict[str, Any]) -> None:
    rows = taken(extract, 2)
    assert [next(rows), next(rows)]
    with pytest.raises(LimitExceeded, match=r"more than 2 rows: raise limits\.rows") as caught:
        next(rows)
    assert caught.value.code == "too_many_rows"
