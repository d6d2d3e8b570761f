"""Make the secrets of a Compose installation, once: `python make_secrets.py FOLDER`.

    secret_key          for SECRET_KEY_FILE
    database_password   for POSTGRES_PASSWORD_FILE
    database_url        for DATABASE_URL_FILE, with that password

A file that is there is never changed, so it may run at every start. PostgreSQL's container reads them under another
user: they are readable by all who mount the folder, and only services that need them may.
"""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path


def make_secrets(folder: Path) -> None:
    keep(folder / "secret_key", lambda: secrets.token_urlsafe(50))
    password = keep(folder / "database_password", lambda: secrets.token_urlsafe(32))
    keep(folder / "database_url", lambda: f"postgresql://data_handler:{password}@postgres:5432/data_handler")


def keep(path: Path, make: Callable[[], str]) -> str:
    """The file's content, made if it is not there; never half written."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.draft")
        draft.write_text(make())
        draft.chmod(0o444)
        draft.rename(path)
    return path.read_text()


if __name__ == "__main__":
    make_secrets(Path(sys.argv[1]))
