"""Rows out of PostgreSQL, chunk by chunk."""

import msgspec
import pyarrow
import pytest

from datasets.engine import selected_rows
from datasets.engine.selected_rows import Query, chunks
from datasets.errors import SnapshotFailed, TimeLimitExceeded

ROWS = "SELECT n, 1 + n % 2 AS kind_id, jsonb_build_object('n', n) AS value FROM generate_series(1::bigint, 30000) AS n"
QUERY = Query("", ROWS, "value", "kind", {1: "odd", 2: "even"}, ["n"], 0, 60.0)


@pytest.fixture
def query(postgres_dsn: str) -> Query:
    return msgspec.structs.replace(QUERY, dsn=postgres_dsn)


def test_chunks_have_all_rows_once_and_no_more_than_they_should(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selected_rows, "BATCH_BYTES", 1 << 16)
    monkeypatch.setattr(selected_rows, "CHUNK_ROWS", 8000)
    made = list(chunks(query))
    assert len(made) > 2
    assert all(8000 <= chunk.num_rows < 10_000 for chunk in made[:-1])
    whole = pyarrow.concat_tables(made)
    assert sorted(whole.column("n").to_pylist()) == list(range(1, 30_001))
    assert whole.slice(0, 2).column("kind").to_pylist() == ["even", "odd"]
    assert whole.slice(0, 1).column("value").to_pylist() == ['{"n": 1}']


def test_of_no_rows_there_is_one_chunk_with_the_columns(query: Query) -> None:
    [chunk] = chunks(msgspec.structs.replace(query, sql=f"{ROWS} WHERE n < 0"))
    assert (chunk.num_rows, chunk.column_names) == (0, ["n", "kind", "value"])


def test_reading_that_takes_too_long_is_ended_by_the_server(query: Query) -> None:
    slow = msgspec.structs.replace(query, sql=f"{ROWS} WHERE pg_sleep(0.01) IS NOT NULL", seconds=0.1)
    with pytest.raises(TimeLimitExceeded, match=r"longer than 0\.1 seconds: select less"):
        list(chunks(slow))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sql": "SELECT * FROM nothing"}, r'cannot be read out of PostgreSQL: .*"nothing" does not exist'),
        ({"dsn": "host=/none"}, "PostgreSQL does not answer"),
    ],
)
def test_what_the_server_minds_is_said(query: Query, changed: dict[str, str], said: str) -> None:
    with pytest.raises(SnapshotFailed, match=said):
        list(chunks(msgspec.structs.replace(query, **changed)))


def test_nothing_can_be_written(query: Query) -> None:
    writing = msgspec.structs.replace(query, sql="WITH gone AS (DELETE FROM pg_class RETURNING oid) SELECT * FROM gone")
    with pytest.raises(SnapshotFailed):
        list(chunks(writing))


def test_how_much_is_read_is_told_as_well_as_it_is_known() -> None:
    known = msgspec.structs.replace(QUERY, expected=1000)
    assert [known.share(rows) for rows in (0, 500, 1000, 2000)] == [0, 0.5, 1, 1]
    assert [QUERY.share(rows) for rows in (0, 1_000_000, 3_000_000)] == [0, 0.5, 0.75]
