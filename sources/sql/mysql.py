"""Connections to MySQL and MariaDB: to a checked address, for reading only, without LOCAL INFILE."""

import json
import re
import socket
import ssl
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions

from sources.address import Address
from sources.sql.certificates import authorities_file
from sources.sql.place import Server

MOST_CONNECT_SECONDS = 10.0
WRITE_TIMEOUT_SECONDS = 3600  # how long the server waits while we store what we read
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")


def connect(
    server: Server, address: Address, password: str, seconds: float, dialled: Callable[[int], object] = bool
) -> Any:
    """A pymysql.Connection; each read of it ends after `seconds`. Raises pymysql.err.OperationalError.

    `dialled` is told the number of the socket, which PyMySQL then may put TLS around.
    """
    line = _dialled(server, address, seconds)
    dialled(line.fileno())
    connection = pymysql.Connection(
        host=server.host,  # for TLS: the line is there already
        port=server.port,
        user=server.user,
        password=password.encode(),
        database=server.database,
        charset=server.charset,
        conv=CONVERSIONS,
        local_infile=False,
        read_timeout=max(0.001, seconds),
        write_timeout=max(0.001, seconds),
        defer_connect=True,
        **_tls(server.tls),
    )
    connection.connect(line)
    return connection


def _dialled(server: Server, address: Address, seconds: float) -> socket.socket:
    try:
        return socket.create_connection((str(address), server.port), max(0.001, min(seconds, MOST_CONNECT_SECONDS)))
    except OSError as error:
        raise pymysql.err.OperationalError(2003, f"cannot connect: {error.strerror or error}") from error


def _tls(mode: str) -> dict[str, Any]:
    """Arguments of PyMySQL that do what libpq's sslmode says."""
    if mode == "disable":
        return {"ssl_disabled": True}
    if mode == "prefer":
        return {}
    context = ssl.create_default_context(cafile=authorities_file())
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # servers' own certificates often miss an extension
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
    return {"ssl": context}


def session(seconds: float, server_version: str) -> list[str]:
    """What to say first. Times are then in UTC. `seconds`: after which the server gives the statement up."""
    if "MariaDB" in server_version:
        timeout = f"SET SESSION max_statement_time = {max(0.001, seconds):.3f}"
    else:
        timeout = f"SET SESSION max_execution_time = {max(1, int(seconds * 1000))}"
    return [
        "SET SESSION TRANSACTION READ ONLY",
        "SET SESSION time_zone = '+00:00'",
        f"SET SESSION net_write_timeout = {WRITE_TIMEOUT_SECONDS}",
        timeout,
    ]


def forget_rows(connection: Any) -> None:
    """Of a connection that is cut: PyMySQL would fetch the rows that nobody took when the result is thrown away."""
    if connection._result is not None:
        connection._result.unbuffered_active = False


def kill(connection: Any, thread: int) -> None:
    """End another connection of the same user, and the statement that it runs."""
    with connection, connection.cursor() as cursor:
        cursor.execute(f"KILL CONNECTION {thread:d}")


def bindable(value: object) -> object:
    """MariaDB takes no zone in the text of a time; all are in UTC."""
    return value.removesuffix("+00:00") if isinstance(value, str) and _INSTANT.fullmatch(value) else value


def _local_time(text: str) -> str:
    return text.replace(" ", "T", 1)


def _time(text: str) -> str:
    return f"{_local_time(text)}+00:00" if _TIME.fullmatch(text) else text


def _bits(data: bytes) -> int:
    return int.from_bytes(data, "big")


CONVERSIONS = {
    **{kind: convert for kind, convert in conversions.items() if kind not in (FIELD_TYPE.DATE, FIELD_TYPE.TIME)},
    FIELD_TYPE.DATETIME: _local_time,
    FIELD_TYPE.TIMESTAMP: _time,
    FIELD_TYPE.BIT: _bits,
    FIELD_TYPE.JSON: partial(json.loads, parse_float=Decimal),
}
