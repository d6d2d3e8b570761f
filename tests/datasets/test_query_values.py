"""Values of SQL as JSON has them, and none of them changed."""

import json
from pathlib import Path

import pytest

from datasets.engine.answer import MOST_BYTES
from datasets.errors import Refused
from tests.datasets.queries import ask, snapshot_of, value


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return snapshot_of(tmp_path)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("NULL", None),
        ("true", True),
        ("9007199254740991", 9007199254740991),
        ("-9007199254740993", "-9007199254740993"),
        ("18446744073709551615::UBIGINT", "18446744073709551615"),
        ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
        ("12.50::DECIMAL(9, 2)", 12.5),
        ("0.12345678901234567890123::DECIMAL(30, 25)", "0.1234567890123456789012300"),
        ("0.1::DOUBLE", 0.1),
        ("1e300::DOUBLE", 1e300),
        ("'nan'::DOUBLE", "NaN"),
        ("'inf'::FLOAT", "Infinity"),
        ("-1 / 0", "-Infinity"),
        ("TIMESTAMPTZ '2026-01-31 12:00:00.25+01'", "2026-01-31T11:00:00.25Z"),
        ("TIMESTAMP '2026-01-31 12:00:00'", "2026-01-31T12:00:00"),
        ("'2026-01-31 12:00:00.123456789'::TIMESTAMP_NS", "2026-01-31T12:00:00.123456789"),
        ("'infinity'::TIMESTAMPTZ", "infinity"),
        ("TIMESTAMP '0044-03-15 (BC) 10:00:00'", "0044-03-15 (BC) 10:00:00"),
        ("DATE '2026-01-31'", "2026-01-31"),
        ("TIME '12:00:00.5'", "12:00:00.5"),
        ("INTERVAL 13 MONTH", "1 year 1 month"),
        ("'\\x00\\xFFa'::BLOB", "00ff61"),
        ("'101'::BIT", "101"),
        ("'8b8c2a5e-8d1c-4d6a-9a0f-111111111111'::UUID", "8b8c2a5e-8d1c-4d6a-9a0f-111111111111"),
        ("[1, NULL, 9007199254740993]", [1, None, "9007199254740993"]),
        ("{'a': [1.5, 'nan'::DOUBLE], 'b': NULL}", {"a": [1.5, "NaN"], "b": None}),
        ("MAP {1: 'x'}", {"1": "x"}),
        ("JSON '{\"a\": [1, 12345678901234567890]}'", {"a": [1, "12345678901234567890"]}),
        ("'\\u0000 \"quoted\" ä'", '\\u0000 "quoted" ä'),
        ("chr(0) || 'a'", "\0a"),
        ("'small'::ENUM('small', 'large')", "small"),
    ],
)
def test_it_writes(where: Path, sql: str, expected: object) -> None:
    found = value(where, f"SELECT {sql}")
    assert (type(found), found) == (type(expected), expected)
    json.dumps(found, allow_nan=False)


def test_types_are_those_of_duckdb(where: Path) -> None:
    answer = ask(where, "SELECT 1::HUGEINT AS a, [1.5::DECIMAL(4, 2)] AS b, now() AS c")
    assert [column["type"] for column in answer["columns"]] == [
        "HUGEINT",
        "DECIMAL(4,2)[]",
        "TIMESTAMP WITH TIME ZONE",
    ]


def test_an_answer_has_a_largest_size(where: Path) -> None:
    with pytest.raises(Refused, match="12 MiB") as refused:
        ask(where, f"SELECT repeat('x', {MOST_BYTES // 100}) FROM range(101)")
    assert refused.value.code == "result_too_large"


@pytest.mark.parametrize("levels", [100, 500, 100_000])
def test_values_nested_without_end_are_refused(where: Path, levels: int) -> None:
    with pytest.raises(Refused, match="too deeply"):
        ask(where, f"SELECT (repeat('[', {levels}) || repeat(']', {levels}))::JSON")


def test_many_lists_side_by_side_are_not_nested(where: Path) -> None:
    assert value(where, "SELECT list([range]) FROM range(200)") == [[number] for number in range(200)]
    assert value(where, "SELECT (repeat('[', 98) || repeat(']', 98))::JSON") is not None
