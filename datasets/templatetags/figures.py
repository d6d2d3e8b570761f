"""Filters that write what results of analyses hold, for people."""

import json
from datetime import UTC, datetime
from typing import Any

from django import template

NOTHING = "–"
MOST_CHARACTERS = 300
SPANS = ((86_400, "day"), (3600, "hour"), (60, "minute"))

register = template.Library()


@register.filter
def figure(value: Any) -> str:
    """A number with what digits it needs; texts stay as they are, cut where they are very long."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _decimal(value)
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def _decimal(value: float) -> str:
    size = abs(value)
    if size and not 0.001 <= size < 1e12:
        return f"{value:.3g}"
    places = 0 if size >= 10_000 else 1 if size >= 1000 else 2 if size >= 10 else 3 if size >= 1 else 4
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def share(value: float | None) -> str:
    """Of 0 to 1, as a percentage."""
    if value is None:
        return NOTHING
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{value * 100:.1f}".removesuffix(".0") + " %"


@register.filter
def moment(value: float | str | None) -> str:
    """Of Unix milliseconds, or of ISO 8601; in UTC. What is no time stays as it is."""
    if value is None:
        return NOTHING
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return figure(value)
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    text = time.strftime("%Y-%m-%d %H:%M:%S")
    return text.removesuffix(" 00:00:00") if isinstance(value, str) and len(value) == len("2026-01-31") else text


@register.filter
def span(seconds: float | None) -> str:
    """A length of time in the unit that suits it."""
    if seconds is None:
        return NOTHING
    for size, unit in SPANS:
        if seconds >= size:
            number = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
    return f"{seconds * 1000:.0f} ms" if 0 < seconds < 1 else f"{seconds:.0f} s"


@register.filter
def cell(value: Any) -> str:
    """A value of a table: what is no text as JSON has it."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


@register.filter
def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
