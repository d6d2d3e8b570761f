"""Asking a dataset in SQL."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from datasets import snapshot
from datasets.kinds.query import QueryKind, QueryParameters
from tests.datasets.tables import opened, write_rows

Rows = Sequence[Mapping[str, Any]]

READINGS: Rows = [
    {
        "type": "reading",
        "payload.device": f"d{number % 3}",
        "payload.temperature": number / 2,
        "payload.at.room": number,
    }
    for number in range(12)
]


def snapshot_of(folder: Path, rows: Rows = READINGS, kind: str = "events", **options: Any) -> Path:
    where = write_rows(folder, rows, **options)
    snapshot.write(where, msgspec.structs.replace(snapshot.read(where), kind=kind))
    return where


def ask(where: Path, sql: str, limit: int = 1000) -> dict[str, Any]:
    """The answer of the dataset with this snapshot."""
    return QueryKind().run([opened(where)], QueryParameters(sql, limit), lambda *_: None)


def rows(where: Path, sql: str) -> list[list[Any]]:
    found: list[list[Any]] = ask(where, sql)["rows"]
    return found


def value(where: Path, sql: str) -> Any:
    """The only one."""
    [[only]] = rows(where, sql)
    return only
