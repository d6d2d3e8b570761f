"""While PostgreSQL is away."""

import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase
from django.test import RequestFactory

from data_handler.outage import DatabaseOutage
from data_handler.postgresql.base import DatabaseWrapper


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """The folder of a server that takes connections and says nothing."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / ".s.PGSQL.5432"))
        listener.listen(20)
        yield tmp_path


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else len(os.listdir("/dev/fd"))


def test_attempts_at_a_server_that_hangs_leave_no_connection_open(
    silent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DatabaseWrapper, "_collected_at", 0.0)
    monkeypatch.setattr("data_handler.postgresql.base.COLLECT_SECONDS", 0.0)
    place = {"HOST": str(silent), "PORT": "5432", "OPTIONS": {"connect_timeout": 2}}
    wrapper = DatabaseWrapper({**settings.DATABASES["default"], **place}, alias="hanging")
    gc.collect()
    gc.disable()
    try:
        before = open_files()
        for _ in range(4):
            with pytest.raises(psycopg.OperationalError, match="timeout"):
                wrapper.get_new_connection(wrapper.get_connection_params())
        assert open_files() <= before + 2, "the last may be held by its traceback"
    finally:
        gc.enable()


def handled(request: HttpRequest, error: Exception) -> HttpResponseBase | None:
    return DatabaseOutage(lambda _: pytest.fail("not asked")).process_exception(request, error)


@pytest.mark.parametrize(("accept", "type_"), [("text/html", "text/html"), ("*/*", "application/json")])
def test_pages_and_the_api_say_that_it_does_not_answer(
    accept: str, type_: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = RequestFactory().get("/streams/", headers={"accept": accept})
    answer = DatabaseOutage(lambda _: pytest.fail("not asked")).process_exception(
        request, OperationalError("it\nhangs")
    )
    assert answer is not None
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"].startswith(type_)
    assert len(caplog.records) == 1
    assert "DATABASE_URL" in caplog.text


def test_other_errors_are_errors() -> None:
    assert (
        DatabaseOutage(lambda _: pytest.fail("not asked")).process_exception(RequestFactory().get("/"), ValueError())
        is None
    )
