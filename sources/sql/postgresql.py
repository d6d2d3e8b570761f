"""Connections to PostgreSQL: to a checked address, with nothing taken from the environment, for reading only."""

import json
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from psycopg import IsolationLevel, pq
from psycopg.adapt import Buffer, Loader
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader

from sources.address import Address
from sources.sql.certificates import authorities_file
from sources.sql.place import Server

AS_TEXT = ("date", "time", "timetz", "interval", "uuid", "inet", "cidr")
# libpq takes no empty ones. The versions are harmless; what a service could give is given.
LEFT_OUT = ("service", "servicefile", "min_protocol_version", "max_protocol_version")
PASSWORD_METHODS = "scram-sha-256,md5,none"
ENCRYPTED = ("require", "verify-ca", "verify-full")
NO_FILE = "/dev/null/none"
loads = partial(json.loads, parse_float=Decimal)


def connect(server: Server, address: Address, password: str, seconds: float) -> psycopg.Connection[Any]:
    """Raises psycopg.OperationalError."""
    options = _neutral() | {
        "host": server.host,
        "hostaddr": str(address),
        "port": server.port,
        "user": server.user,
        "password": password,
        "dbname": server.database,
        "sslmode": server.tls,
        "require_auth": PASSWORD_METHODS + (",password" if server.tls in ENCRYPTED else ""),
        "sslrootcert": authorities_file() if server.tls.startswith("verify") else "",
        "connect_timeout": max(2, int(seconds)),
        "application_name": "data-handler",
        "client_encoding": "UTF8",
    }
    connection = psycopg.connect("", prepare_threshold=None, **options)
    connection.read_only = True
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    for name in AS_TEXT:
        connection.adapters.register_loader(name, TextLoader)
    connection.adapters.register_loader("timestamp", _Timestamp)
    connection.adapters.register_loader("timestamptz", _TimestampWithZone)
    set_json_loads(loads, connection)
    return connection


def _neutral() -> dict[str, Any]:
    """Every option that libpq would else take from PG… variables or files in the home directory."""
    options = [option for option in pq.Conninfo.get_defaults() if option.envvar]
    known = {option.keyword.decode(): (option.compiled or b"").decode() for option in options}
    given = {name: value for name, value in known.items() if name not in LEFT_OUT}
    return given | {"passfile": NO_FILE, "sslcertmode": "disable", "keepalives_idle": 30, "keepalives_interval": 10}


def session(seconds: float) -> list[str]:
    """What to say first in a transaction. Times are then in UTC, and their texts in ISO 8601's order."""
    return [
        f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}",
        "SET LOCAL timezone = 'UTC'",
        "SET LOCAL datestyle = 'ISO'",
        "SET LOCAL intervalstyle = 'iso_8601'",
    ]


class _Timestamp(Loader):
    def load(self, data: Buffer) -> str:
        return bytes(data).decode().replace(" ", "T", 1)


class _TimestampWithZone(Loader):
    def load(self, data: Buffer) -> str:
        return bytes(data).decode().replace(" ", "T", 1).replace("+00", "+00:00", 1)
