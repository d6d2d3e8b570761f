"""Readings of a sensor over time, as rows for tables."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return STARTED_AT + timedelta(seconds=seconds)


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def readings(value: Callable[[int], float | None], numbers: Iterable[int]) -> list[dict[str, Any]]:
    """The `time` and `value` of each that has one of these numbers, of one in five minutes."""
    return [{"time": at(300 * number), "value": value(number)} for number in numbers]
