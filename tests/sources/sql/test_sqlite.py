import io
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.errors import BadDefinition, LimitExceeded, SourceError, Undecodable
from sources.uploads import store
from tests.sources.sql.conftest import ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "x.sqlite")
    yield connection
    connection.close()


def uploaded(file: sqlite3.Connection) -> str:
    file.commit()
    path = file.execute("PRAGMA database_list").fetchone()[2]
    return f"sqlite:{store(io.BytesIO(Path(path).read_bytes()), 'x.sqlite').id}"


def test_an_uploaded_file_is_read(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE t (i INTEGER, r REAL, t TEXT, b BLOB, n)")
    file.execute("INSERT INTO t VALUES (?, 0.5, 'é', x'ff00', NULL)", [2**62])
    file.execute("INSERT INTO t VALUES (9e999, 9e999, CAST(x'ff41' AS TEXT), '', 1)")
    assert list(ask(uploaded(file), table="t")) == [
        {"i": 2**62, "r": 0.5, "t": "é", "b": "/wA=", "n": None},
        {"i": "Infinity", "r": "Infinity", "t": "\ufffdA", "b": "", "n": 1},
    ]


@pytest.mark.parametrize(
    ("column", "values", "lookback", "again"),
    [
        ("id", [1, 2, 3], 0, [3]),
        ("id", [1, 2, 3], 1, [1, 2, 3]),
        ("at", ["2026-01-01 10:00:00", "2026-01-01 11:00:00", "2026-01-02 00:00:00"], 0, ["2026-01-02 00:00:00"]),
        (
            "at",
            ["2026-01-01 10:00:00", "2026-01-01 11:00:00", "2026-01-02 00:00:00"],
            1800,
            ["2026-01-01 11:00:00", "2026-01-02 00:00:00"],
        ),
        (
            "at",
            ["2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", "2026-01-02T00:00:00Z"],
            1800,
            ["2026-01-01T11:00:00Z", "2026-01-02T00:00:00Z"],
        ),
        ("at", ["2026-01-01", "2026-01-02", "2026-01-03"], 86_400, ["2026-01-01", "2026-01-02", "2026-01-03"]),
    ],
)
def test_the_next_upload_goes_on_after_the_last(
    file: sqlite3.Connection, column: str, values: list[object], lookback: float, again: list[object]
) -> None:
    file.execute(f"CREATE TABLE t ({column})")
    file.executemany("INSERT INTO t VALUES (?)", [[value] for value in values[:2]])
    query = ask(uploaded(file), table="t", cursor_column=column, lookback_seconds=lookback)
    assert [row[column] for row in query] == values[:2]
    file.execute("INSERT INTO t VALUES (?)", values[2:])
    query = ask(uploaded(file), table="t", cursor_column=column, lookback_seconds=lookback, state=query.state)
    assert [row[column] for row in query] == again


def test_a_lookback_needs_numbers_or_times(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE t (x)")
    with pytest.raises(BadDefinition, match="numbers or times"):
        list(ask(uploaded(file), table="t", cursor_column="x", lookback_seconds=5, state={"cursor": "abc"}))


def test_a_column_that_is_missing_is_not_taken_for_a_text(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE t (x)")
    file.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(BadDefinition, match="no column 'y'"):
        list(ask(uploaded(file), table="t", cursor_column="y"))


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + b"\1" * 5000])
def test_a_file_that_is_no_database_is_undecodable(content: bytes) -> None:
    url = f"sqlite:{store(io.BytesIO(content), 'x').id}"
    with pytest.raises(Undecodable):
        list(ask(url, table="t"))


@pytest.mark.parametrize("place", ["//etc/passwd", "/etc/passwd", ":memory:", "file:/etc/passwd", ""])
def test_nothing_but_an_upload_is_opened(place: str) -> None:
    with pytest.raises(BadDefinition, match="There is no upload"):
        list(ask(f"sqlite:{place}", table="t"))


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t",
        "WITH x AS (SELECT 1) DELETE FROM t",
        "SELECT 1; SELECT 2",
        "SELECT load_extension('x')",
        "SELECT * FROM pragma_database_list",
        "SELECT writefile('/tmp/x', 'y')",
        "ATTACH '/etc/passwd' AS y",
        "SELECT zeroblob(1000000000)",
        "SELECT nothing FROM t",
    ],
)
def test_statements_that_do_more_than_read_are_refused(file: sqlite3.Connection, query: str) -> None:
    file.execute("CREATE TABLE t (x)")
    with pytest.raises(BadDefinition):
        list(ask(uploaded(file), query=query))


def test_a_query_without_end_is_ended(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE t (x)")
    endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    started = time.monotonic()
    with pytest.raises(LimitExceeded) as caught:
        list(ask(uploaded(file), query=endless, statement_timeout_seconds=0.3))
    assert caught.value.code == "statement_timeout"
    assert time.monotonic() - started < 3


def test_no_copy_stays_behind(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE t (x)")
    before = set(Path(tempfile.gettempdir()).glob("*.sqlite"))
    url = uploaded(file)
    list(ask(url, table="t"))
    with pytest.raises(SourceError):
        list(ask(url, table="nothing"))
    assert set(Path(tempfile.gettempdir()).glob("*.sqlite")) == before
