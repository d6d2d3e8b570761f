"""Running kinds of analysis on tables."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from datasets.engine.table import Table
from datasets.kinds import kind


def run(name: str, tables: Sequence[Table], parameters: Mapping[str, Any] = {}) -> dict[str, Any]:
    """The result, which must be JSON that PostgreSQL takes."""
    found = kind.load()[name]
    told: list[float] = []
    result = found.run(tables, msgspec.convert(parameters, found.Parameters), lambda share, step: told.append(share))
    assert told == sorted(told)
    assert all(0 <= share <= 1 for share in told)
    assert "\\u0000" not in json.dumps(result, allow_nan=False)
    again: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result))
    return again


def profile(table: Table, **parameters: Any) -> dict[str, Any]:
    return run("profile", [table], parameters)


def column(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    [found] = [one for one in result["columns"] if one["name"] == name]
    return dict(found)
