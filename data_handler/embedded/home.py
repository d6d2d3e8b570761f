"""Where everything of the embedded services stands, computed from the data directory alone.

Settings, `manage.py up` and tests that start from the same directory so meet at the same services.

    <data dir>/secret_key, ingest_key           secrets, mode 0600
    <data dir>/postgres, buffer, broker         what the three servers keep
    <data dir>/logs                             what they say when nobody supervises them
    <data dir>/lock, run.json                   who runs here
    <temp dir>/data-handler-<uid>-<hash>        Valkey's sockets: the data dir's path may be too long
    <temp dir>/data-handler-<uid>-<hash>-pg     PostgreSQL's socket: as root it runs as another user
    /var/lib/data-handler-<hash>                as root: what that user cannot reach where it belongs
"""

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

ROLE = DATABASE = "data_handler"


@dataclass(frozen=True)
class Home:
    data_dir: Path

    @classmethod
    def at(cls, data_dir: Path) -> Self:
        return cls(data_dir.resolve())

    @property
    def database_url(self) -> str:
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.postgres_sockets), safe='')}"

    @property
    def buffer_url(self) -> str:
        return f"unix://{quote(str(self.buffer_socket))}?db=0"

    @property
    def broker_url(self) -> str:
        return f"unix://{quote(str(self.broker_socket))}?db=0"

    @property
    def sockets(self) -> Path:
        return Path(tempfile.gettempdir()) / f"data-handler-{os.geteuid()}-{self._hash}"

    @property
    def postgres_sockets(self) -> Path:
        return self.sockets.with_name(f"{self.sockets.name}-pg")

    @property
    def buffer_socket(self) -> Path:
        return self.sockets / "buffer.sock"

    @property
    def broker_socket(self) -> Path:
        return self.sockets / "broker.sock"

    @property
    def postgres_data(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def postgres_refuge(self) -> Path:
        return Path("/var/lib") / f"data-handler-{self._hash}"

    @property
    def buffer_data(self) -> Path:
        return self.data_dir / "buffer"

    @property
    def broker_data(self) -> Path:
        return self.data_dir / "broker"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def lock_file(self) -> Path:
        return self.data_dir / "lock"

    @property
    def run_file(self) -> Path:
        return self.data_dir / "run.json"

    @property
    def ingest_key_file(self) -> Path:
        return self.data_dir / "ingest_key"

    @property
    def secret_key_file(self) -> Path:
        return self.data_dir / "secret_key"

    def secret_key(self) -> str:
        """A random key, made at the first call, the same for all processes and for ever."""
        with suppress(FileNotFoundError):
            return self.secret_key_file.read_text()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        draft = self.secret_key_file.with_name(f"secret_key.{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(draft, self.secret_key_file)
        draft.unlink()
        return self.secret_key_file.read_text()

    @property
    def _hash(self) -> str:
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
