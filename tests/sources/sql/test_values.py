"""What the types of each server become. The spellings are those of the servers themselves."""

from decimal import Decimal

import pytest

from sources.errors import BadDefinition
from tests.sources.sql.conftest import ask
from tests.sources.sql.servers import Database

POSTGRESQL = {
    "42::bigint": 42,
    "1.50::numeric": Decimal("1.50"),
    "'NaN'::numeric": "NaN",
    "0.1::float8": 0.1,
    "'-infinity'::float8": "-Infinity",
    "true": True,
    "'a'::char(3)": "a  ",
    "'2026-01-02'::date": "2026-01-02",
    "'infinity'::date": "infinity",
    "'2026-01-02 03:04:05.5'::timestamp": "2026-01-02T03:04:05.5",
    "'2026-01-02 03:04:05+05:30'::timestamptz": "2026-01-01T21:34:05+00:00",
    "'0044-03-15 BC'::timestamp": "0044-03-15T00:00:00 BC",
    "'20001-01-01'::timestamptz": "20001-01-01T00:00:00+00:00",
    "'03:04:05'::time": "03:04:05",
    "'1 year 2 months 3 days 04:05:06.7'::interval": "P1Y2M3DT4H5M6.7S",
    "'8a3b1f8e-7f2a-4d7c-9a55-0c5b7d1e2f30'::uuid": "8a3b1f8e-7f2a-4d7c-9a55-0c5b7d1e2f30",
    "'\\xff00'::bytea": "/wA=",
    "'10.0.0.1/8'::inet": "10.0.0.1/8",
    "int4range(1, 5)": "[1, 5)",
    "ARRAY[1, NULL, 3]": [1, None, 3],
    "ARRAY['2026-01-02'::date]": ["2026-01-02"],
    """'{"a": [1, 1.10, null], "big": 123456789012345678901234567890}'::jsonb""": {
        "a": [1, Decimal("1.10"), None],
        "big": 123456789012345678901234567890,
    },
    "NULL": None,
}
MARIADB = {
    "18446744073709551615": 18446744073709551615,
    "CAST(1.50 AS decimal(5, 2))": Decimal("1.50"),
    "CAST(0.1 AS double)": 0.1,
    "DATE '2026-01-02'": "2026-01-02",
    "CAST('2026-01-02 03:04:05.5' AS datetime(1))": "2026-01-02T03:04:05.5",
    "FROM_UNIXTIME(0)": "1970-01-01T00:00:00",
    "TIME '-25:06:07'": "-25:06:07",
    "X'ff00'": "/wA=",
    "b'101'": "BQ==",
    "'😀'": "😀",
    "NULL": None,
}


@pytest.mark.parametrize(("expression", "expected"), POSTGRESQL.items())
def test_a_value_of_postgresql(postgresql_server: Database, expression: str, expected: object) -> None:
    escaped = expression.replace(":", "\\:")
    [row] = ask(postgresql_server.url(), query=f"SELECT {escaped} AS value")
    assert row == {"value": expected}
    assert type(row["value"]) is type(expected)


@pytest.mark.parametrize(("expression", "expected"), MARIADB.items())
def test_a_value_of_mariadb(mariadb_server: Database, expression: str, expected: object) -> None:
    [row] = ask(mariadb_server.url(), query=f"SELECT {expression} AS value")
    assert row == {"value": expected}
    assert type(row["value"]) is type(expected)


def test_columns_of_mariadb(mariadb_shop: Database) -> None:
    mariadb_shop.run(
        "SET time_zone = '+02:00'",
        "SET sql_mode = ''",
        "CREATE TABLE t (at timestamp NULL, local datetime, nothing date, bits bit(9), b blob, y year, e enum('y'))",
        "INSERT INTO t VALUES ('2026-07-01 12:00:00', '2026-07-01 12:00:00', '0000-00-00', 257, 'ab', 2026, 'y')",
    )
    assert list(ask(mariadb_shop.url(), table="t")) == [
        {
            "at": "2026-07-01T10:00:00+00:00",
            "local": "2026-07-01T12:00:00",
            "nothing": "0000-00-00",
            "bits": 257,
            "b": "YWI=",
            "y": 2026,
            "e": "y",
        }
    ]


@pytest.mark.parametrize("kind", ["timestamp(3)", "datetime", "date", "bigint", "double", "varchar(40)"])
def test_every_kind_of_mariadb_column_can_be_a_cursor(mariadb_shop: Database, kind: str) -> None:
    values = ["2026-07-01", "2026-07-02", "2026-07-03"] if kind not in ("bigint", "double") else ["1", "2", "3"]
    mariadb_shop.run(f"CREATE TABLE t (c {kind})", *(f"INSERT INTO t VALUES ('{value}')" for value in values[:2]))
    follows_the_cursor(mariadb_shop, values[2])


@pytest.mark.parametrize(
    "kind", ["timestamptz", "timestamp", "date", "bigint", "float8", "numeric", "text", "uuid", "inet"]
)
def test_every_kind_of_postgresql_column_can_be_a_cursor(postgres_shop: Database, kind: str) -> None:
    values = {
        "uuid": [f"00000000-0000-0000-0000-00000000000{digit}" for digit in range(3)],
        "inet": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
    }.get(kind, ["2026-07-01", "2026-07-02", "2026-07-03"])
    if kind in ("bigint", "float8", "numeric"):
        values = ["1", "2", "3"]
    postgres_shop.run(f"CREATE TABLE t (c {kind})", *(f"INSERT INTO t VALUES ('{value}')" for value in values[:2]))
    follows_the_cursor(postgres_shop, values[2])


def follows_the_cursor(shop: Database, later: str) -> None:
    query = ask(shop.url(), table="t", cursor_column="c")
    assert len(list(query)) == 2
    assert list(ask(shop.url(), table="t", cursor_column="c", state=query.state)) == []
    shop.run(f"INSERT INTO t VALUES ('{later}')")
    assert len(list(ask(shop.url(), table="t", cursor_column="c", state=query.state))) == 1


def test_bytes_and_lists_are_no_cursors(postgres_shop: Database) -> None:
    postgres_shop.run("CREATE TABLE t (b bytea, l int[])", "INSERT INTO t VALUES ('x', '{1}')")
    with pytest.raises(BadDefinition, match="numbers, times or text"):
        list(ask(postgres_shop.url(), table="t", cursor_column="l"))
