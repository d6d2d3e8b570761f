from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate as log_in
from django.core.management import CommandError, call_command

from access.bootstrap import ensure_first_access
from access.keys import authenticate, revoke_key
from access.models import ApiKey

pytestmark = pytest.mark.django_db


def test_the_first_time_makes_an_administrator_and_a_key(tmp_path: Path) -> None:
    first = ensure_first_access(tmp_path)
    assert log_in(username=first.admin_name, password=first.admin_password)
    assert authenticate(f"Bearer {first.ingest_key}").may("ingest", stream="any")


def test_the_second_time_finds_them(tmp_path: Path) -> None:
    assert ensure_first_access(tmp_path) == ensure_first_access(tmp_path)
    assert ApiKey.objects.count() == 1


def test_the_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    ensure_first_access(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_revoked_key_is_replaced(tmp_path: Path) -> None:
    first = ensure_first_access(tmp_path)
    revoke_key(ApiKey.objects.get())
    assert ensure_first_access(tmp_path).ingest_key != first.ingest_key


def test_a_key_is_made_from_the_command_line() -> None:
    out = StringIO()
    call_command("create_key", "vector", "--stream", "logs", "--scope", "ingest", "--expires", "2099-01-31", stdout=out)
    principal = authenticate(f"Bearer {out.getvalue().strip()}")
    assert (principal.scopes, principal.reach("ingest").streams) == (frozenset({"ingest"}), frozenset({"logs"}))


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="not a day such as"):
        call_command("create_key", "x", "--expires", "tomorrow")
