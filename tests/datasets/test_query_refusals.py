"""SQL that would do anything but read the dataset is refused before it runs."""

from pathlib import Path

import pytest

from datasets import snapshot
from datasets.errors import Refused
from datasets.kinds.query import LONGEST_MESSAGE
from tests.datasets.queries import ask, snapshot_of

WRITES = [
    "COPY data TO '{new}'",
    "COPY (SELECT 1) TO '{part}' (FORMAT parquet, USE_TMP_FILE false)",
    "WITH a AS (COPY data TO '{new}') FROM a",
    "WITH a AS (COPY (SELECT 1) TO '{part}' (USE_TMP_FILE false)) FROM data",
    "FROM (WITH a AS (COPY data TO '{new}') FROM a)",
    "SELECT (WITH a AS (COPY data TO '{new}') SELECT count(*) FROM a)",
    "SELECT 1 UNION ALL (WITH a AS (COPY data TO '{new}') SELECT 1 FROM a)",
    "WITH RECURSIVE a AS (SELECT 1 UNION ALL (WITH b AS (COPY data TO '{new}') SELECT 1 FROM b)) FROM a",
    "EXPLAIN ANALYZE COPY data TO '{new}'",
    "EXPORT DATABASE '{new}'",
    "WITH a AS (INSERT INTO data VALUES (1)) FROM a",
    "WITH a AS (DELETE FROM data RETURNING *) FROM a",
    "WITH a AS (UPDATE data SET type = 'x') FROM a",
    "INSERT INTO data VALUES (1)",
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW data AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE TYPE t AS ENUM (SELECT 'a')",
    "DROP VIEW data",
    "MERGE INTO data USING data d ON true WHEN MATCHED THEN DELETE",
    "FROM query('COPY data TO ''{new}''')",
    "FROM enable_logging(storage = 'file', storage_config = {{'path': '{new}'}})",
    "FROM enable_profiling(save_location = '{new}')",
]
FILES = [
    "FROM '{other}'",
    "FROM '{part}'",
    'FROM "{other}"',
    "FROM '/proc/self/environ'",
    "FROM data, '{other}'",
    "SELECT (SELECT count(*) FROM '{other}')",
    "FROM (DESCRIBE '{other}')",
    "SUMMARIZE '{other}'",
    "PIVOT '{other}' ON secret IN (1) USING count(*)",
    "FROM read_text('/etc/passwd')",
    "FROM read_text('/proc/self/environ')",
    "FROM read_blob('{other}')",
    "FROM read_csv('/etc/passwd')",
    "FROM read_json('/etc/passwd')",
    "FROM read_parquet('{other}')",
    "FROM read_parquet('{part}', filename = true)",
    "FROM parquet_scan('{other}')",
    "FROM parquet_metadata('{other}')",
    "FROM parquet_schema('{other}')",
    "FROM glob('/**')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM read_duckdb('{other}')",
    "FROM read_csv('http://127.0.0.1/x.csv')",
    "FROM 'https://127.0.0.1/x.parquet'",
    "FROM 's3://bucket/x.parquet'",
    "FROM query('FROM read_text(''/etc/passwd'')')",
    "FROM query_table('{other}')",
    "FROM histogram('{other}', secret)",
    "FROM json_execute_serialized_sql(json_serialize_sql('FROM ''{other}'''))",
    "SELECT json_serialize_plan('FROM ''{other}''')",
    "ATTACH '{other}' AS o",
    "IMPORT DATABASE '{folder}'",
    'WITH "{other}" AS (FROM "{other}") FROM "{other}"',
]
SELF = [
    "FROM duckdb_settings()",
    "FROM duckdb_settings",
    "FROM pg_settings",
    "FROM pg_catalog.pg_views",
    "FROM duckdb_views()",
    "FROM information_schema.tables",
    "FROM duckdb_secrets()",
    "FROM duckdb_temporary_files()",
    "FROM sqlite_master",
    "FROM snapshot",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "WITH duckdb_settings AS (FROM duckdb_settings) FROM duckdb_settings",
    "WITH RECURSIVE duckdb_settings AS (FROM duckdb_settings) FROM duckdb_settings",
    "WITH RECURSIVE duckdb_views AS (SELECT sql FROM duckdb_views UNION FROM duckdb_views) FROM duckdb_views",
    "WITH a AS (FROM b), b AS (SELECT 1) FROM a",
    "FROM (WITH duckdb_settings AS (SELECT 1) SELECT 1), duckdb_settings",
    "SELECT current_setting('temp_directory')",
    "SELECT 'temp_directory'.current_setting()",
    "SELECT list_transform(['temp_directory'], lambda x: current_setting(x))",
    "SELECT pg_get_viewdef(oid) FROM range(100000) t(oid)",
    "SELECT \"CURRENT_SETTING\"('temp_directory')",
    "SELECT getenv('HOME')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(100000)",
]
OPTIONS = [
    "SET memory_limit = '100GB'",
    "RESET lock_configuration",
    "PRAGMA memory_limit = '100GB'",
    "PRAGMA enable_profiling",
    "CALL enable_logging()",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{other}'",
    "SET VARIABLE a = 1",
    "CHECKPOINT",
    "BEGIN",
    "USE main",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DETACH memory",
    "CREATE SECRET s (TYPE s3)",
]
NO_STATEMENT = [
    "",
    "-- nothing",
    ";",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW data",
    "SELECT ?",
    "SELECT $1",
    "SELEC 1",
]


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return snapshot_of(tmp_path_factory.mktemp("snapshots"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    [part] = snapshot.parts(snapshot_of(tmp_path_factory.mktemp("others"), [{"secret": "hush"}]))
    return part


@pytest.mark.parametrize("sql", [*WRITES, *FILES, *SELF, *OPTIONS, *NO_STATEMENT])
def test_it_refuses(where: Path, other: Path, tmp_path: Path, sql: str) -> None:
    [part] = snapshot.parts(where)
    before = part.read_bytes()
    new = tmp_path / "new"
    with pytest.raises(Refused) as refused:
        ask(where, sql.format(new=new, other=other, part=part, folder=other.parent))
    assert not new.exists()
    assert part.read_bytes() == before
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1,\n  current_setting('threads')", "current_setting is not available. (Line 2, column 3.)"),
        ("SELECT 'ää' FROM other", "There is no table other: the only one is data. (Line 1, column 18.)"),
        ("SELECT 1; SELECT 2", "these are 2 statements"),
        ("PIVOT data ON type USING count(*)", "PIVOT needs its values"),
        ("SELECT\n nothing + 1 FROM data", 'Referenced column "nothing" not found'),
        ("SELECT 1\nFROM data WHERE (", "LINE 2: FROM data WHERE ("),
        ("SELECT 1,\ncast(type AS INT) FROM data", "LINE 2: cast(type AS INT) FROM data"),
        ("SELECT ?", "write these into the SQL"),
    ],
)
def test_it_says_what_is_wrong_and_where(where: Path, sql: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(where, sql)
    assert message in str(refused.value)


def test_messages_have_an_end(where: Path) -> None:
    with pytest.raises(Refused) as refused:
        ask(where, "SELECT error(repeat('x', 1000000))")
    assert len(str(refused.value)) <= LONGEST_MESSAGE


def test_nesting_has_an_end(where: Path) -> None:
    for sql in ("SELECT " + "(" * 9000 + "1" + ")" * 9000, "SELECT " + "[" * 900 + "]" * 900, "SELECT " + "-" * 15_000):
        with pytest.raises(Refused):
            ask(where, sql + " 1")
