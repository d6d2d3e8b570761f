"""Behind the examination of a statement there are walls that hold without it: DuckDB's own."""

from pathlib import Path

import duckdb
import pytest

from datasets.engine import lockdown
from datasets.engine.lockdown import lock
from datasets.engine.statement import FORBIDDEN_FUNCTIONS
from datasets.engine.table import Table, connect, open_table
from datasets.errors import MemoryLimitExceeded, Refused
from datasets.kinds.query import QueryKind, QueryParameters
from tests.datasets.queries import snapshot_of
from tests.datasets.tables import opened, write_query

HARMLESS = {
    *("random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "error", "stats", "vector_type"),
    *("current_connection_id", "current_query", "current_query_id", "current_transaction_id", "txid_current"),
}


@pytest.fixture
def locked(tmp_path: Path) -> Table:
    table = opened(snapshot_of(tmp_path))
    lock(table.connection, table.folder)
    return table


def test_the_snapshot_can_be_read(locked: Table) -> None:
    assert locked.rows("SELECT count(*) FROM data") == [(12,)]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY data TO '{new}'",
        "WITH a AS (COPY data TO '{new}') FROM a",
        "FROM read_text('/etc/passwd')",
        "FROM read_text('/proc/self/environ')",
        "FROM '{other}'",
        "FROM parquet_metadata('{other}')",
        "FROM '{folder}/../{name}'",
        "FROM glob('/*')",
        "FROM sniff_csv('/etc/passwd')",
        "FROM read_csv('http://127.0.0.1:9/x')",
        "FROM read_csv('s3://bucket/x')",
        "ATTACH '{new}'",
        "ATTACH '{other}' AS o (TYPE sqlite)",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{other}'",
        "CREATE SECRET s (TYPE s3)",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET lock_configuration",
        "SET allowed_paths = ['/']",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '100GB'",
        "SET max_temp_directory_size = '1TB'",
        "SET temp_directory = '/'",
        "SET threads = 64",
        "PRAGMA temp_directory = '/'",
        "CALL enable_logging(storage = 'file', storage_config = {{'path': '{new}'}})",
        "FROM enable_profiling(save_location = '{new}')",
        "EXPORT DATABASE '{new}'",
        "FROM locked",
        "FROM tmp_path",
        "SELECT getenv('HOME')",
    ],
)
def test_duckdb_refuses(tmp_path: Path, locked: Table, sql: str) -> None:
    other = snapshot_of(tmp_path, [{"secret": 42}])
    new = tmp_path / "new"
    values = {
        "new": new,
        "other": other / "0000.parquet",
        "folder": locked.folder,
        "name": f"{other.name}/0000.parquet",
    }
    with pytest.raises(duckdb.Error):
        locked.rows(sql.format(**values))
    assert not new.exists()


def test_every_function_with_effects_is_known(locked: Table) -> None:
    """A newer DuckDB may have more: they belong to the forbidden ones, or here."""
    effects = locked.rows(
        "SELECT DISTINCT function_name FROM duckdb_functions()"
        " WHERE function_type IN ('scalar', 'aggregate') AND (has_side_effects OR stability = 'VOLATILE')"
    )
    assert {name for (name,) in effects} <= FORBIDDEN_FUNCTIONS | HARMLESS


def test_every_macro_that_looks_at_duckdb_itself_is_known(locked: Table) -> None:
    names = locked.rows(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'macro' AND"
        f" regexp_matches(macro_definition, '{'|'.join(sorted(FORBIDDEN_FUNCTIONS))}|setting|duckdb_views')"
    )
    assert {name for (name,) in names} <= FORBIDDEN_FUNCTIONS


def test_there_is_a_most_to_put_aside_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockdown, "MOST_TEMP_BYTES", 20 << 20)
    where = write_query(tmp_path, "SELECT range AS n, repeat('x', 50) || range AS t FROM range(800000)")
    table = open_table(connect(60 << 20, 2, tmp_path / "temp"), where, "data")
    sql = "SELECT max(place), max(t) FROM (SELECT row_number() OVER (ORDER BY hash(n)) AS place, t FROM data)"
    with pytest.raises(MemoryLimitExceeded, match="fewer rows"):
        QueryKind().run([table], QueryParameters(sql), lambda *_: None)


def test_messages_tell_nothing_of_the_machine(tmp_path: Path) -> None:
    where = snapshot_of(tmp_path)
    table = opened(where)
    (where / "0000.parquet").write_bytes(b"PAR1 this is none PAR1")
    with pytest.raises(Refused) as refused:
        QueryKind().run([table], QueryParameters("SELECT max(type) FROM data"), lambda *_: None)
    assert str(tmp_path) not in str(refused.value)
