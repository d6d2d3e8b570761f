"""Settings as a fresh process reads them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from data_handler.options import OPTIONS
from data_handler.settings_docs import pages

OWN_SERVICES = {
    "DATABASE_URL": "postgresql://someone:secret@db.example/events",
    "REDIS_URL": "redis://redis.example/0",
    "SECRET_KEY": "k" * 20 + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "ALLOWED_HOSTS": "events.example",
}


def manage(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS"])
def test_with_own_services_a_missing_setting_is_named(name: str) -> None:
    result = manage("check", **{other: value for other, value in OWN_SERVICES.items() if other != name})
    assert result.returncode != 0
    assert f"{name} is not set. Set it to" in result.stderr


def test_production_settings_pass_the_deployment_check() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", **OWN_SERVICES)
    assert result.returncode == 0, result.stderr


def test_a_number_that_is_none_stops_the_start() -> None:
    result = manage("check", MAX_EVENT_BYTES="1 MB", **OWN_SERVICES)
    assert "MAX_EVENT_BYTES='1 MB' is not a whole number." in result.stderr


def test_a_database_url_that_is_none_stops_the_start() -> None:
    result = manage("check", **{**OWN_SERVICES, "DATABASE_URL": "mysql://db/events"})
    assert "DATABASE_URL is not a PostgreSQL URL" in result.stderr


def test_the_embedded_mode_needs_no_setting(tmp_path: Path) -> None:
    result = manage("check", DATA_DIR=str(tmp_path))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", pages(settings.BASE_DIR, OPTIONS), ids=lambda path: path.name)
def test_the_settings_are_documented_as_they_are(path: Path) -> None:
    expected = pages(settings.BASE_DIR, OPTIONS)[path]
    assert path.read_text(encoding="utf-8") == expected, "Run: python manage.py write_settings_docs"
