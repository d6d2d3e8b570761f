"""Tables that are not as usual: empty, of one row, of many columns, of numbers beyond everything."""

from pathlib import Path

import pytest

from datasets.errors import Refused
from tests.datasets.profiles import column, profile
from tests.datasets.tables import make_table, make_table_of

TYPES = {
    "n": "BIGINT",
    "x": "DOUBLE",
    "huge": "HUGEINT",
    "text": "VARCHAR",
    "json": "JSON",
    "ok": "BOOLEAN",
    "time": "TIMESTAMP WITH TIME ZONE",
    "day": "DATE",
    "id": "UUID",
    "list": "BIGINT[]",
    "money": "DECIMAL(12,2)",
}


def test_an_empty_table(tmp_path: Path) -> None:
    result = profile(make_table(tmp_path, [], types=TYPES, time_column="time"))
    assert (result["rows"], result["time"], result["correlations"]) == (0, None, [])
    assert result["duplicates"] == {"rows": 0, "share": 0.0, "approximate": False}
    assert result["missing"] == {"columns": [], "buckets": []}
    for one in result["columns"]:
        assert (one["nulls"], one["distinct"], one["top"], one["histogram"], one["hints"]) == (0, 0, [], [], [])


def test_columns_without_any_value(tmp_path: Path) -> None:
    result = profile(make_table(tmp_path, [{}, {}, {}], types=TYPES, time_column="time"))
    assert result["time"] is None
    for one in result["columns"]:
        assert (one["nulls"], one["null_rate"], one["hints"]) == (3, 1.0, ["all_null"])
    assert len(result["missing"]["buckets"]) == 3


def test_one_row(tmp_path: Path) -> None:
    values = {"n": 5, "x": 0.5, "huge": "-7", "text": "a", "json": "[1]", "ok": True, "money": "1.50"}
    values |= {"time": "2026-01-01T00:00:00Z", "day": "2026-01-01", "list": [1], "id": f"{7:032}"}
    result = profile(make_table(tmp_path, [values], types=TYPES, time_column="time"))
    assert all("constant" in one["hints"] and "unique" not in one["hints"] for one in result["columns"])
    assert column(result, "money")["min"] == 1.5
    assert column(result, "n")["histogram"] == [{"from": 5, "to": 6, "count": 1}]
    assert column(result, "x")["histogram"] == [{"from": 0.5, "to": 0.5, "count": 1}]
    assert column(result, "x")["std"] is None
    assert result["time"]["span_seconds"] == 0


@pytest.mark.parametrize("text", ["1" + 38 * "0", "-9223372036854775809"])
def test_integers_beyond_64_bits_are_floats(tmp_path: Path, text: str) -> None:
    found = column(profile(make_table(tmp_path, [{"x": text}, {"x": "0"}], types={"x": "HUGEINT"})), "x")
    assert float(text) in (found["min"], found["max"])
    assert {one["value"] for one in found["top"]} == {0, float(text)}


def test_the_greatest_unsigned_number_is_told_from_its_neighbour(tmp_path: Path) -> None:
    rows = [{"x": str(2**63 - 1)}, {"x": str(2**63 - 2)}]
    found = column(profile(make_table(tmp_path, rows, types={"x": "UBIGINT"})), "x")
    assert (found["min"], found["max"], found["distinct"]) == (2**63 - 2, 2**63 - 1, 2)


def test_numbers_at_the_ends_of_what_floats_can_be(tmp_path: Path) -> None:
    rows = [{"x": one, "y": one / 2} for one in (1.7e308, -1.7e308, 5e-324, -5e-324, 0.0)]
    result = profile(make_table(tmp_path, rows))
    found = column(result, "x")
    assert (found["min"], found["max"]) == (-1.7e308, 1.7e308)
    assert sum(one["count"] for one in found["histogram"]) == 5
    assert result["correlations"] == []


def test_only_infinities(tmp_path: Path) -> None:
    found = column(profile(make_table(tmp_path, [{"x": float("inf")}, {"x": float("nan")}])), "x")
    assert found["min"] is found["max"] is found["mean"] is None
    assert (found["nulls"], found["distinct"], found["histogram"]) == (0, 2, [])


def test_names_may_be_anything(tmp_path: Path) -> None:
    names = ['a"b', "select", "", "n0", "c1", "row_number", "é 😀", "a.b", "' OR 1=1 --"]
    result = profile(make_table(tmp_path, [{name: place for place, name in enumerate(names) if name}]))
    assert [one["name"] for one in result["columns"]] == [name for name in names if name]
    assert [one["min"] for one in result["columns"]] == [place for place, name in enumerate(names) if name]


def test_a_thousand_columns(tmp_path: Path) -> None:
    columns = ", ".join(f"n * {place} % 97 AS x{place}, 'v' || n % 7 AS t{place}" for place in range(500))
    result = profile(make_table_of(tmp_path, f"SELECT {columns} FROM range(50) AS r(n)"))
    assert len(result["columns"]) == 1000
    assert column(result, "x499")["max"] == max(n * 499 % 97 for n in range(50))
    assert column(result, "t499")["distinct"] == 7


def test_only_some_columns(tmp_path: Path) -> None:
    table = make_table(tmp_path, [{"a": 1, "b": 2, "c": 3}] * 2)
    assert [one["name"] for one in profile(table, columns=["c", "a"])["columns"]] == ["a", "c"]
    with pytest.raises(Refused, match="There is no column 'd'"):
        profile(table, columns=["d"])


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("TIMESTAMP_NS '2026-01-01 00:00:00'", "time"),
        ("TIMESTAMP_S '2026-01-01 00:00:00'", "time"),
        ("TIMESTAMP '2026-01-01 00:00:00'", "time"),
        ("CAST(1.5 AS FLOAT)", "number"),
        ("CAST(1 AS UTINYINT)", "number"),
        ("CAST('a' AS ENUM('a', 'b'))", "other"),
        ("TIME '10:00:00'", "other"),
        ("INTERVAL 3 DAY", "other"),
        ("'\\xAA\\x00'::BLOB", "other"),
        ("MAP {'a': 1}", "other"),
        ("{'a': 1, 'b': [TRUE]}", "other"),
    ],
)
def test_any_type_of_duckdb_has_a_profile(tmp_path: Path, sql: str, kind: str) -> None:
    found = column(profile(make_table_of(tmp_path, f"SELECT {sql} AS x FROM range(3)")), "x")
    assert (found["kind"], found["distinct"], found["top"][0]["count"]) == (kind, 1, 3)
