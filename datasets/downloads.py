"""Results as files."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ingest.streaming import csv_cell, csv_lines


def as_json(result: Any) -> bytes:
    return msgspec.json.encode(result)


def as_csv(result: Any) -> bytes | None:
    """Of a result that is a table: `columns`, each a name or an object with one, and `rows`. None for others."""
    data = result["data"]
    if not isinstance(data.get("columns"), list) or not isinstance(data.get("rows"), list):
        return None
    names = [column["name"] if isinstance(column, dict) else column for column in data["columns"]]
    return csv_lines(map(_cells, [names, *data["rows"]]))


def _cells(values: list[Any]) -> list[str]:
    return [csv_cell(msgspec.json.encode(value)) for value in values]


FORMATS: Mapping[str, tuple[str, Callable[[Any], bytes | None]]] = {
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
}
