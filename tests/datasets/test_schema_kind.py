from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from datasets.kinds.schema import MOST_CHARACTERS, MOST_ROWS, SchemaKind, SchemaParameters
from tests.datasets.tables import Rows, make_table


def schema(folder: Path, rows: Rows, **options: Any) -> Any:
    """The result, as it is sent."""
    found = SchemaKind().run([make_table(folder, rows, **options)], SchemaParameters(), lambda *_: None)
    return msgspec.json.decode(msgspec.json.encode(found))


def test_rows_and_columns_are_those_of_the_snapshot(tmp_path: Path) -> None:
    found = schema(tmp_path, [{"a": 1, 'odd "name"': "x"}, {"a": 2, 'odd "name"': None}])
    assert found["rows"] == 2
    assert found["columns"] == [{"name": "a", "type": "BIGINT"}, {"name": 'odd "name"', "type": "VARCHAR"}]
    assert sorted(found["sample"]) == [[1, "x"], [2, None]]


def test_values_are_shown_as_json_can_and_long_ones_are_cut(tmp_path: Path) -> None:
    row = {
        "time": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "day": date(2026, 1, 31),
        "id": UUID(int=7),
        "on": True,
        "number": 0.5,
        "huge": str(2**70),
        "text": "x" * 600,
    }
    found = schema(tmp_path, [row], types={"huge": "HUGEINT"})
    shown = dict(zip((column["name"] for column in found["columns"]), found["sample"][0], strict=True))
    assert shown == {
        "time": "2026-01-31T12:00:00Z",
        "day": "2026-01-31",
        "id": "00000000-0000-0000-0000-000000000007",
        "on": True,
        "number": 0.5,
        "huge": str(2**70),
        "text": "x" * MOST_CHARACTERS + "…",
    }


def test_a_very_wide_table_has_a_sample_too(tmp_path: Path) -> None:
    rows = [{f"c{number}": "x" * 400 for number in range(1000)} for _ in range(5)]
    assert len(schema(tmp_path, rows)["sample"]) == 2


def test_a_sample_is_a_few_rows(tmp_path: Path) -> None:
    found = schema(tmp_path, [{"n": number} for number in range(3 * MOST_ROWS)])
    assert (found["rows"], len(found["sample"])) == (3 * MOST_ROWS, MOST_ROWS)
    assert schema(tmp_path, [], types={"n": "BIGINT"})["sample"] == []
