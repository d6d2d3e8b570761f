"""Databases to pull from: each a server of its own on 127.0.0.1, with a password; MariaDB with TLS, too."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from data_handler import embedded
from data_handler.embedded.account import Account
from data_handler.embedded.home import Home
from data_handler.embedded.postgres import postgres
from data_handler.embedded.run_file import claim
from data_handler.embedded.server import Server
from data_handler.process import Process
from tests.sources.sql.certificates import make_certificates

PASSWORD = "k3ep-it-s3cret"


class MariaDbMissing(Exception):
    pass


@dataclass(frozen=True)
class Database:
    scheme: str
    port: int
    connect: Callable[[], Any]
    pid: int
    authority: Path | None = None

    def url(self, query: str = "", host: str = "localhost", user: str = "reader") -> str:
        return f"{self.scheme}://{user}@{host}:{self.port}/shop{query}"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """As the owner; the rows of the last one."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            rows = list(cursor.fetchall()) if cursor.description else []
            connection.commit()
        return rows


@contextmanager
def postgresql() -> Iterator[Database]:
    home = Home.at(Path(tempfile.mkdtemp(prefix="data-handler-pulled-")))
    try:
        with claim(home) as run_file, ExitStack() as stack:
            port = _free_port()
            owner = f"host={home.postgres_sockets} port={port} user=data_handler dbname="
            ready = partial(_answers, partial(psycopg.connect, f"{owner}postgres"))
            server = Server("postgres", partial(_over_tcp, home, port, ready), home.logs, run_file)
            stack.callback(server.stop)
            server.start()
            with psycopg.connect(f"{owner}postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE shop")
                connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
            yield Database("postgresql", port, partial(psycopg.connect, f"{owner}shop"), server.pid)
    finally:
        embedded.remove(home)


def _over_tcp(home: Home, port: int, ready: Callable[[], bool]) -> Process:
    process = postgres(home)
    folder = _folder(process)
    (folder / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    settings = {"listen_addresses": "127.0.0.1", "port": str(port)}
    words = tuple(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
    return replace(process, command=process.command + words, ready=ready)


def _folder(process: Process) -> Path:
    return Path(process.command[process.command.index("-D") + 1])


@contextmanager
def mariadb() -> Iterator[Database]:
    """Raises MariaDbMissing."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if program is None or install is None:
        raise MariaDbMissing(
            "There is no MariaDB to pull from: apt-get install mariadb-server-core mariadb-client-core."
        )
    home = Home.at(Path(tempfile.mkdtemp(prefix="data-handler-pulled-")))
    home.data_dir.chmod(0o711)
    account = Account.for_postgres()
    folder = account.folder(home.data_dir / "mariadb")
    try:
        with claim(home) as run_file, ExitStack() as stack:
            data = ("--no-defaults", f"--datadir={folder / 'data'}")
            subprocess.run(
                [install, *data, "--auth-root-authentication-method=normal", "--skip-test-db"],
                check=True,
                capture_output=True,
                **account.popen_options(),
            )
            port, path = _free_port(), folder / "socket"
            authority, certificate, key = make_certificates(folder, account.uid, account.gid)
            connect = partial(pymysql.Connection, unix_socket=str(path), user="root", ssl_disabled=True)
            process = Process(
                name="mariadb",
                command=(
                    *(program, *data, f"--socket={path}", f"--port={port}", "--bind-address=127.0.0.1"),
                    *("--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"),
                    *(f"--ssl-cert={certificate}", f"--ssl-key={key}", f"--pid-file={folder / 'pid'}"),
                ),
                cwd=Path("/"),
                user=account.uid if account.is_other else None,
                group=account.gid if account.is_other else None,
                ready=lambda: path.exists() and _answers(connect),
            )
            server = Server("mariadb", lambda: process, home.logs, run_file)
            stack.callback(server.stop)
            server.start()
            with connect() as connection, connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
                cursor.execute(f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
                cursor.execute("GRANT SELECT ON shop.* TO reader@'127.0.0.1'")
            yield Database("mysql", port, partial(connect, database="shop"), server.pid, authority)
    finally:
        shutil.rmtree(home.data_dir)


def _answers(connect: Callable[[], Any]) -> bool:
    with suppress(psycopg.OperationalError, pymysql.err.OperationalError):
        connect().close()
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
