"""Servers to pull from, started once for the run."""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from sources.address import Guard
from sources.definition import RunLimits, Sql
from sources.sql import Query
from tests.sources.sql.servers import PASSWORD, Database, MariaDbMissing, mariadb, postgresql

Ask = Callable[..., Query]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Database]:
    with postgresql() as database:
        yield database


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Database]:
    try:
        with mariadb() as database:
            yield database
    except MariaDbMissing as error:
        if os.environ.get("CI"):
            pytest.exit(str(error), returncode=1)
        pytest.skip(str(error))


@pytest.fixture
def postgres_shop(postgresql_server: Database) -> Database:
    """With an empty schema, of which `reader` may read all that comes to be in it."""
    postgresql_server.run(
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        "GRANT USAGE ON SCHEMA public TO reader",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader",
    )
    return postgresql_server


@pytest.fixture
def mariadb_shop(mariadb_server: Database) -> Database:
    mariadb_server.run("DROP DATABASE shop", "CREATE DATABASE shop CHARACTER SET utf8mb4")
    return mariadb_server


@pytest.fixture(params=["postgres_shop", "mariadb_shop"])
def shop(request: pytest.FixtureRequest) -> Database:
    """What is said of it holds for each of the servers."""
    database: Database = request.getfixturevalue(request.param)
    return database


def ask(url: str, *, state: dict[str, Any] | None = None, seconds: float = 30, **more: Any) -> Query:
    """A query of the source with this URL; `more`: members of Sql, or arguments of Query."""
    arguments: dict[str, Any] = {name: more.pop(name) for name in ("limits", "window", "most_rows") if name in more}
    return Query(
        Sql(url=url, secret=more.pop("secret", "password"), **more),
        secrets={"password": PASSWORD},
        state=state or {},
        guard=Guard(["127.0.0.1", "localhost"]),
        deadline=time.monotonic() + seconds,
        **{"limits": RunLimits()} | arguments,
    )


@pytest.fixture
def ask_shop(shop: Database) -> Ask:
    return partial(ask, shop.url())
