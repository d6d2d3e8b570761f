"""An uploaded SQLite file: a copy on disk, which may only be read, by statements that only read."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from sources.errors import Undecodable
from sources.uploads import PIECE_BYTES, open_body

MAGIC = b"SQLite format 3\0"
MOST_VALUE_BYTES = 100_000_000
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


@contextmanager
def copied(upload_id: str) -> Iterator[str]:
    """The path of a copy that is there as long as this lasts. Raises Undecodable, BadDefinition."""
    with open_body(upload_id).file as upload, tempfile.NamedTemporaryFile(suffix=".sqlite") as copy:
        if upload.read(len(MAGIC)) != MAGIC:
            raise Undecodable("The uploaded file is not an SQLite database.")
        upload.seek(0)
        shutil.copyfileobj(upload, copy, PIECE_BYTES)
        copy.flush()
        yield copy.name


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    connection.text_factory = _text
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for name, value in {"trusted_schema": "OFF", "query_only": "ON", "cell_size_check": "ON"}.items():
        connection.execute(f"PRAGMA {name} = {value}")
    return connection


def restrict(connection: sqlite3.Connection) -> None:
    """From now on it reads tables, and does nothing else."""
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
