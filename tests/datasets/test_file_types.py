"""Types of the columns of files: what all values of a column are, or text."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.datasets.files import in_order, read, types
from tests.sources.test_decode_xlsx import workbook


def lines(name: str, values: list[str]) -> bytes:
    return "\n".join([f"n;{name}", *(f'{number};"{value}"' for number, value in enumerate(values))]).encode()


@pytest.mark.parametrize(
    ("values", "type", "read_as"),
    [
        (["1", "-2", "", "+3", " 4 "], "BIGINT", [1, -2, None, 3, 4]),
        (["1", "2.5", ".5", "1e3", "-7."], "DOUBLE", [1.0, 2.5, 0.5, 1000.0, -7.0]),
        (["true", "False", "TRUE"], "BOOLEAN", [True, False, True]),
        (["2026-01-31", "2024-02-29"], "DATE", [date(2026, 1, 31), date(2024, 2, 29)]),
        (
            ["2026-01-31T12:00:00Z", "2026-01-31 12:00", "2026-01-31T12:00:00.5+02:00", "2026-01-31"],
            "TIMESTAMP WITH TIME ZONE",
            [
                datetime(2026, 1, 31, 12, tzinfo=UTC),
                datetime(2026, 1, 31, 12, tzinfo=UTC),
                datetime(2026, 1, 31, 10, 0, 0, 500_000, tzinfo=UTC),
                datetime(2026, 1, 31, tzinfo=UTC),
            ],
        ),
        (["007", "1"], "VARCHAR", ["007", "1"]),
        (["1234567890123456789", "1"], "VARCHAR", ["1234567890123456789", "1"]),
        (["1", "n/a", ""], "VARCHAR", ["1", "n/a", ""]),
        (["2026-02-30"], "VARCHAR", ["2026-02-30"]),
        (["1e999", "inf", "nan"], "VARCHAR", ["1e999", "inf", "nan"]),
        (["", ""], "VARCHAR", ["", ""]),
        (["=1+1", "@SUM(A1)"], "VARCHAR", ["=1+1", "@SUM(A1)"]),
    ],
)
def test_a_column_of_csv_has_the_type_of_all_its_values(
    tmp_path: Path, values: list[str], type: str, read_as: list[Any]
) -> None:
    table = read(tmp_path, lines("value", values))
    assert types(table) == {"n": "BIGINT", "value": type}
    assert [value for _, value in in_order(table)] == read_as


def test_one_value_at_the_end_of_many_decides(tmp_path: Path) -> None:
    table = read(tmp_path, lines("value", [*(str(n) for n in range(250_000)), "x"]))
    assert (types(table)["value"], table.snapshot.rows) == ("VARCHAR", 250_001)
    assert table.row("SELECT count(*), max(n) FROM data WHERE value = CAST(n AS VARCHAR)") == (250_000, 249_999)
    assert [n for n, _ in in_order(table)] == list(range(250_001))


def test_values_of_json_are_what_they_say_but_for_times(tmp_path: Path) -> None:
    rows = [
        {"code": "123", "n": 1, "at": "2026-01-31T12:00:00Z", "deep": {"list": [1, None], "day": "2026-01-31"}},
        {"code": "124", "n": 2.5, "at": None, "deep": None, "late": True},
    ]
    content = b"\n".join(map(orjson.dumps, rows))
    table = read(tmp_path, content, "rows.ndjson")
    assert types(table) == {
        "code": "VARCHAR",
        "n": "DOUBLE",
        "at": "TIMESTAMP WITH TIME ZONE",
        "deep.list": "VARCHAR",
        "deep.day": "DATE",
        "late": "BOOLEAN",
    }
    assert in_order(table) == [
        ("123", 1.0, datetime(2026, 1, 31, 12, tzinfo=UTC), "[1,null]", date(2026, 1, 31), None),
        ("124", 2.5, None, None, None, True),
    ]
    assert (table.snapshot.time_column, table.snapshot.rejected) == ("at", 0)


def test_objects_without_members_change_the_type_of_nothing(tmp_path: Path) -> None:
    rows = [{"day": "2026-01-31", "count": "1"}, {"day": {}, "count": "2"}]
    table = read(tmp_path, b"\n".join(map(orjson.dumps, rows)), "rows.ndjson")
    assert types(table) == {"day": "DATE", "count": "BIGINT"}
    assert in_order(table) == [(date(2026, 1, 31), 1), (None, 2)]


def test_a_workbook_has_its_own_types(tmp_path: Path) -> None:
    full = ["a", 1, datetime(2026, 1, 31, 12), date(2026, 1, 31), True]
    cells: list[list[Any]] = [["name", "n", "at", "day", "yes"], full, ["b", 2.5]]
    table = read(tmp_path, workbook(cells), "book.xlsx")
    assert types(table) == {
        "name": "VARCHAR",
        "n": "DOUBLE",
        "at": "TIMESTAMP WITH TIME ZONE",
        "day": "DATE",
        "yes": "BOOLEAN",
    }


def test_numbers_of_xml_are_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, b"<all><one><n>1</n><s>x</s></one><one><n>2</n><s/></one></all>", "a.xml", path="all.one")
    assert types(table) == {"n": "BIGINT", "s": "VARCHAR"}


def test_odd_names_are_names(tmp_path: Path) -> None:
    names = ['q"uote', "dot.ted", "sp ace", "ünï", "'; DROP TABLE x; --", "A", "a", "select", ""]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    table = read(tmp_path, f"{header}\n1,2,3,4,5,6,7,8,9\n".encode())
    assert in_order(table) == [tuple(range(1, 10))]
    assert list(types(table)) == [*names[:6], "a (2)", "select", "column_9"]
