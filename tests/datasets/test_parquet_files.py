"""Parquet files as tables: nested columns flattened, plain types, and nothing believed that the file says of itself."""

import datetime as dt
from decimal import Decimal
from math import inf, nan
from pathlib import Path

import pyarrow
import pytest

from datasets.errors import SnapshotFailed
from tests.datasets.files import in_order, parquet_of, read, types

AT = dt.datetime(2026, 1, 31, 12, 0, 0, 500_000)
UTC_AT = AT.replace(tzinfo=dt.UTC)


def test_values_have_plain_types(tmp_path: Path) -> None:
    columns = {
        "small": pyarrow.array([1, None], pyarrow.int8()),
        "large": pyarrow.array([2**64 - 1, 0], pyarrow.uint64()),
        "float": pyarrow.array([nan, inf], pyarrow.float32()),
        "price": pyarrow.array([Decimal("1.50"), None], pyarrow.decimal128(10, 2)),
        "local": pyarrow.array([AT, None], pyarrow.timestamp("us")),
        "nanoseconds": pyarrow.array([AT, None], pyarrow.timestamp("ns", "Europe/Vienna")),
        "day": pyarrow.array([AT.date(), None], pyarrow.date32()),
        "clock": pyarrow.array([AT.time(), None], pyarrow.time64("us")),
        "bytes": pyarrow.array([b"ab\xff", None], pyarrow.binary()),
        "nested": pyarrow.array([{"a": {"b": 1}, "l": [1, 2]}, None]),
        "lists": pyarrow.array([[{"x": 1}], None]),
        "words": pyarrow.array(["a", "b"]).dictionary_encode(),
    }
    table = read(tmp_path, parquet_of(pyarrow.table(columns)))
    assert types(table) == {
        "small": "BIGINT",
        "large": "UBIGINT",
        "float": "DOUBLE",
        "price": "DOUBLE",
        "local": "TIMESTAMP WITH TIME ZONE",
        "nanoseconds": "TIMESTAMP WITH TIME ZONE",
        "day": "DATE",
        "clock": "VARCHAR",
        "bytes": "VARCHAR",
        "nested.a.b": "BIGINT",
        "nested.l": "VARCHAR",
        "lists": "VARCHAR",
        "words": "VARCHAR",
    }
    first, second = in_order(table)
    assert first[:7] == (1, 2**64 - 1, None, 1.5, UTC_AT, AT.replace(tzinfo=dt.UTC), AT.date())
    assert first[7:] == ("12:00:00.5", "ab\\xFF", 1, "[1,2]", '[{"x":1}]', "a")
    assert second == (None, 0, *[None] * 10, "b")
    assert table.snapshot.time_column == "local"


def test_the_format_may_be_named(tmp_path: Path) -> None:
    content = parquet_of(pyarrow.table({"n": [1]}))
    assert in_order(read(tmp_path, content, format="parquet")) == [(1,)]
    with pytest.raises(SnapshotFailed, match="no Parquet file: name its format"):
        read(tmp_path, b"a,b\n1,2\n", format="parquet")


def test_names_that_differ_in_case_alone_are_told_apart(tmp_path: Path) -> None:
    table = read(tmp_path, parquet_of(pyarrow.table([[1], [2], [3]], ["a", "A", "a (2)"])))
    assert types(table).keys() == {"a", "A_1", "a (2)"}
    assert in_order(table) == [(1, 2, 3)]


@pytest.mark.parametrize("keep", [4, 20, 0.5, 0.99])
def test_one_that_is_cut_off_is_refused(tmp_path: Path, keep: float) -> None:
    content = parquet_of(pyarrow.table({"n": list(range(10_000))}))
    with pytest.raises(SnapshotFailed, match="The Parquet file cannot be read") as refusal:
        read(tmp_path, content[: round(keep * len(content)) if keep < 1 else int(keep)], "table.parquet")
    assert str(tmp_path) not in str(refusal.value)


def test_one_whose_pages_are_overwritten_is_refused(tmp_path: Path) -> None:
    content = bytearray(parquet_of(pyarrow.table({"n": [str(n) for n in range(10_000)]}), compression="zstd"))
    content[100:5000] = b"\xff" * 4900
    with pytest.raises(SnapshotFailed, match="The Parquet file cannot be read"):
        read(tmp_path, bytes(content))


def test_one_of_more_rows_than_are_read_is_refused_before_it_is_read(tmp_path: Path) -> None:
    content = parquet_of(pyarrow.table({"n": pyarrow.array([7]).take(pyarrow.array([0] * 2_000_000))}))
    assert len(content) < 20_000
    with pytest.raises(SnapshotFailed, match="2,000,000 rows, more than 1,000,000"):
        read(tmp_path, content)


def test_one_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    wide = pyarrow.table({f"c{number}": [1] for number in range(2001)})
    with pytest.raises(SnapshotFailed, match="more than 2,000 columns: leave some out"):
        read(tmp_path, parquet_of(wide))


def test_texts_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    texts = pyarrow.Array.from_buffers(
        pyarrow.utf8(), 1, [None, pyarrow.py_buffer(b"\0\0\0\0\2\0\0\0"), pyarrow.py_buffer(b"\xff\xfe")]
    )
    with pytest.raises(SnapshotFailed, match="The Parquet file cannot be read"):
        read(tmp_path, parquet_of(pyarrow.table({"t": texts})))
