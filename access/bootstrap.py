"""The first administrator and the first key of a new installation."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth import get_user_model

from access.errors import NotAuthenticated
from access.keys import authenticate, create_key
from access.models import Scope

ADMIN_NAME = "admin"


@dataclass(frozen=True, slots=True)
class FirstAccess:
    """`admin_password` is None when there was a user already."""

    admin_name: str
    admin_password: str | None
    ingest_key: str


def ensure_first_access(data_dir: Path) -> FirstAccess:
    """Make an administrator if there is no user, and a key for sending and reading; both once.

    The password and the key are kept in files of mode 0600 in `data_dir`, for the embedded mode, which belongs to one
    person.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    return FirstAccess(ADMIN_NAME, _ensure_admin(data_dir), _ensure_key(data_dir))


def _ensure_admin(data_dir: Path) -> str | None:
    path = data_dir / "admin_password"
    if get_user_model().objects.exists():
        return path.read_text().strip() if path.exists() else None
    password = secrets.token_urlsafe(12)
    _write_secret(path, password)
    get_user_model().objects.create_superuser(ADMIN_NAME, password=password)
    return password


def _ensure_key(data_dir: Path) -> str:
    path = data_dir / "ingest_key"
    if path.exists():
        token = path.read_text().strip()
        try:
            authenticate(f"Bearer {token}")
        except NotAuthenticated:
            pass  # revoked, or of a database that was thrown away
        else:
            return token
    _, token = create_key("first key", (Scope.INGEST, Scope.READ, Scope.MANAGE))
    _write_secret(path, token)
    return token


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
