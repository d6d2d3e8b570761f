"""Servers that refuse, fall silent or lie, and URLs that want more than a database."""

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from sources.address import Guard
from sources.definition import RunLimits, Sql
from sources.errors import AddressRefused, BadDefinition, Forbidden, LimitExceeded, SourceError, Unreachable
from sources.sql import Query, check, check_definition
from tests.sources.sql.certificates import make_certificates
from tests.sources.sql.conftest import ask
from tests.sources.sql.servers import PASSWORD, Database

SLEEP = {"postgresql": "SELECT pg_sleep(30)", "mysql": "SELECT SLEEP(30), a.* FROM information_schema.tables a"}


def failure(query: Query) -> SourceError:
    with pytest.raises(SourceError) as caught:
        list(query)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_a_wrong_password_is_forbidden(shop: Database) -> None:
    query = Query(
        Sql(url=shop.url(), secret="p", query="SELECT 1"),
        secrets={"p": "wr0ng"},
        state={},
        limits=RunLimits(),
        guard=Guard(["localhost"]),
        deadline=time.monotonic() + 10,
    )
    error = failure(query)
    assert isinstance(error, Forbidden)
    assert "wr0ng" not in str(error)
    assert "reader" in str(error)


def test_what_the_user_may_not_read_is_forbidden(postgres_shop: Database) -> None:
    postgres_shop.run("CREATE TABLE hidden (id int)", "REVOKE ALL ON hidden FROM reader")
    assert isinstance(failure(ask(postgres_shop.url(), table="hidden")), Forbidden)


def test_an_unknown_database_is_a_bad_definition(shop: Database) -> None:
    error = failure(ask(shop.url().replace("/shop", "/nothing"), query="SELECT 1"))
    assert isinstance(error, BadDefinition if shop.scheme == "postgresql" else Forbidden)
    assert "nothing" in str(error)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_closed_port_is_unreachable(scheme: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"{scheme}://reader@127.0.0.1:{closed.getsockname()[1]}/shop"
        error = failure(ask(url, query="SELECT 1"))
    assert isinstance(error, Unreachable)
    assert error.temporary
    assert "refused" in str(error)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_addresses_are_guarded(scheme: str) -> None:
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "[::1]", "2130706433", "0x7f.1"):
        query = Query(
            Sql(url=f"{scheme}://reader@{host}/shop", query="SELECT 1"),
            secrets={},
            state={},
            limits=RunLimits(),
            guard=Guard(),
            deadline=time.monotonic() + 10,
        )
        assert isinstance(failure(query), AddressRefused)


def test_a_statement_that_takes_too_long_is_ended(shop: Database) -> None:
    started = time.monotonic()
    error = failure(ask(shop.url(), query=SLEEP[shop.scheme], statement_timeout_seconds=0.5))
    assert isinstance(error, LimitExceeded)
    assert error.code == "statement_timeout"
    assert time.monotonic() - started < 5
    assert statements_of_reader(shop) == []


def test_the_run_ends_with_its_deadline(shop: Database) -> None:
    started = time.monotonic()
    error = failure(ask(shop.url(), query=SLEEP[shop.scheme], seconds=1))
    assert isinstance(error, LimitExceeded)
    assert error.code == "too_many_seconds"
    assert time.monotonic() - started < 6


def test_nothing_goes_on_when_the_rows_are_given_up(shop: Database) -> None:
    query = ask(
        shop.url(),
        query="WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900000)"
        " SELECT i, repeat('x', 100) AS x FROM n",
    )
    if shop.scheme == "mysql":
        query = ask(shop.url(), query="SELECT seq AS i, repeat('x', 1000) AS x FROM seq_1_to_90000000")
    started = time.monotonic()
    assert [row["i"] for row in islice(query, 5)] == [1, 2, 3, 4, 5]
    query.close()
    assert time.monotonic() - started < 5
    assert statements_of_reader(shop) == []


def statements_of_reader(shop: Database) -> list[Any]:
    """Those that still run after a while."""
    asked = (
        "SELECT state, query FROM pg_stat_activity WHERE usename = 'reader'"
        if shop.scheme == "postgresql"
        else "SELECT command, info FROM information_schema.processlist WHERE user = 'reader'"
    )
    until = time.monotonic() + 5
    while (running := shop.run(asked)) and time.monotonic() < until:
        time.sleep(0.1)
    return running


def test_a_server_that_falls_silent_does_not_hold_the_run(shop: Database) -> None:
    many = "SELECT generate_series(1, 9000000)" if shop.scheme == "postgresql" else "SELECT seq FROM seq_1_to_9000000"
    query = ask(shop.url(), query=many, statement_timeout_seconds=2, seconds=3)
    next(query)
    os.kill(shop.pid, signal.SIGSTOP) if shop.scheme == "mysql" else stop_backends(shop, signal.SIGSTOP)
    try:
        assert isinstance(failure(query), LimitExceeded | Unreachable)
    finally:
        os.kill(shop.pid, signal.SIGCONT) if shop.scheme == "mysql" else stop_backends(shop, signal.SIGCONT)


def stop_backends(shop: Database, number: signal.Signals) -> None:
    for (pid,) in shop.run("SELECT pid FROM pg_stat_activity WHERE usename = 'reader'"):
        os.kill(pid, number)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:s3cret@db.example.org/shop",
        "postgresql:///shop?host=/var/run/postgresql",
        "postgresql://reader@/shop",
        "postgresql://reader@%2Fvar%2Frun%2Fpostgresql/shop",
        "postgresql://reader@%40abstract/shop",
        "postgresql://reader@db.example.org,127.0.0.1/shop",
        "postgresql://reader@db.example.org/shop?hostaddr=127.0.0.1",
        "postgresql://reader@db.example.org/shop?options=-cstatement_timeout%3D0",
        "postgresql://reader@db.example.org/shop?service=x",
        "postgresql://reader@db.example.org/shop?sslrootcert=/etc/passwd",
        "postgresql://reader@db.example.org/shop?passfile=/etc/passwd",
        "postgresql://reader@db.example.org/shop?sslmode=allow",
        "postgresql://reader@db.example.org/shop?sslmode=require&sslmode=disable",
        "postgresql://db.example.org/shop",
        "postgresql://reader@db.example.org",
        "postgresql+psycopg2://reader@db.example.org/shop",
        "mysql://reader@db.example.org/shop?local_infile=1",
        "mysql://reader@db.example.org/shop?unix_socket=/run/mysqld/mysqld.sock",
        "mysql://reader@db.example.org/shop?read_default_file=/root/.my.cnf",
        "mysql://reader@db.example.org/shop?init_command=DROP+TABLE+x",
        "mysql://reader@db.example.org/shop?charset=utf8mb4;x",
        "mssql://reader@db.example.org/shop",
        "oracle://reader@db.example.org/shop",
        "sqlite3:x",
        "file:///etc/passwd",
        "postgresql://reader@db.example.org:port/shop",
        "",
        "s3cret",
    ],
)
def test_a_url_that_wants_more_than_a_database_is_refused(url: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        check_definition(Sql(url=url, query="SELECT 1"))
    assert "s3cret" not in str(caught.value)


def test_the_environment_gives_nothing_to_connections(
    postgresql_server: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = tmp_path / "services"
    services.write_text("[mine]\nhost=192.0.2.1\nuser=other\noptions=-cwork_mem=1MB\n")
    for name, value in {
        "PGSERVICE": "mine",
        "PGSERVICEFILE": str(services),
        "PGHOSTADDR": "192.0.2.1",
        "PGUSER": "other",
        "PGPASSWORD": PASSWORD,
        "PGOPTIONS": "-c work_mem=1MB",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/nothing",
        "PGTARGETSESSIONATTRS": "standby",
        "PGAPPNAME": "other",
        "PGREQUIREAUTH": "gss",
    }.items():
        monkeypatch.setenv(name, value)
    query = "SELECT current_user AS name, current_setting('work_mem') AS memory"
    assert list(ask(postgresql_server.url(), query=query)) == [{"name": "reader", "memory": "4MB"}]
    error = failure(ask(postgresql_server.url(), query=query, secret=None))
    assert isinstance(error, Forbidden)


def test_checking_gives_columns_and_a_few_rows(shop: Database) -> None:
    shop.run("CREATE TABLE t (id int, name varchar(9))", *(f"INSERT INTO t VALUES ({i}, 'x')" for i in range(20)))
    spec = Sql(url=shop.url(), secret="p", table="t", cursor_column="id")
    guard = Guard(["localhost"])
    checked = check(spec, secrets={"p": PASSWORD}, guard=guard, deadline=time.monotonic() + 10)
    assert checked.columns == ["id", "name"]
    assert [row["id"] for row in checked.rows] == [0, 1, 2, 3, 4]


def test_certificates_of_mariadb_are_checked_against_the_name(
    mariadb_server: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "SELECT variable_value AS cipher FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"
    for mode, encrypted in {"disable": False, "prefer": True, "require": True}.items():
        rows = list(ask(mariadb_server.url(f"?sslmode={mode}"), query=asked))
        assert bool(rows[0]["cipher"]) is encrypted
    for mode in ("verify-ca", "verify-full"):
        error = failure(ask(mariadb_server.url(f"?sslmode={mode}"), query=asked))
        assert isinstance(error, Unreachable)
        assert "certificate verify failed" in str(error)
    monkeypatch.setenv("SSL_CERT_FILE", str(mariadb_server.authority))
    for mode in ("verify-ca", "verify-full"):
        [row] = ask(mariadb_server.url(f"?sslmode={mode}"), query=asked)
        assert row["cipher"]
    by_address = mariadb_server.url("?sslmode=verify-full", host="127.0.0.1")
    assert "certificate verify failed" in str(failure(ask(by_address, query=asked)))
    assert list(ask(mariadb_server.url("?sslmode=verify-ca", host="127.0.0.1"), query=asked))


@contextmanager
def pretending_postgresql(folder: Path) -> Iterator[tuple[int, Path]]:
    """Agrees to TLS, shows its certificate, and hangs up: the embedded PostgreSQL is built without TLS."""
    authority, certificate, key = make_certificates(folder, os.getuid(), os.getgid())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(2):
                client, _ = listening.accept()
                with client:
                    client.recv(8)
                    client.sendall(b"S")
                    try:
                        with context.wrap_socket(client, server_side=True) as encrypted:
                            encrypted.recv(100)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], authority
        thread.join()


def test_certificates_of_postgresql_are_checked_against_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretending_postgresql(tmp_path) as (port, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        by_address = f"postgresql://reader@127.0.0.1:{port}/shop?sslmode=verify-full"
        by_name = f"postgresql://reader@localhost:{port}/shop?sslmode=verify-full"
        assert "does not match host name" in str(failure(ask(by_address, query="SELECT 1")))
        assert "certificate" not in str(failure(ask(by_name, query="SELECT 1")))


def test_a_server_that_asks_for_a_local_file_gets_none(tmp_path: Path) -> None:
    """As a server may answer any statement with LOAD DATA LOCAL."""
    greeting = (
        b"\x0a5.7.0\0"
        + b"\1\0\0\0"
        + b"12345678\0"
        + b"\xff\xf7"
        + b"\x21"
        + b"\2\0"
        + b"\x0f\x80"
        + b"\x15"
        + b"\0" * 10
        + b"123456789012\0"
        + b"mysql_native_password\0"
    )
    received = bytearray()

    def packet(number: int, payload: bytes) -> bytes:
        return len(payload).to_bytes(3, "little") + bytes([number]) + payload

    def serve(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client:
            client.sendall(packet(0, greeting))
            client.recv(4096)
            client.sendall(packet(2, b"\0\0\0\2\0\0\0"))
            while data := client.recv(4096):
                received.extend(data)
                is_setting = data[5:8].upper() == b"SET"
                client.sendall(packet(1, b"\0\0\0\2\0\0\0" if is_setting else b"\xfb/etc/passwd"))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        thread = threading.Thread(target=serve, args=[listening])
        thread.start()
        url = f"mysql://reader@127.0.0.1:{listening.getsockname()[1]}/shop?sslmode=disable"
        error = failure(ask(url, query="SELECT 1", seconds=5))
        thread.join()
    assert "LOAD_LOCAL" in str(error)
    assert b"root:" not in received
