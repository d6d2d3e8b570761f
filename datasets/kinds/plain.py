"""Values of DuckDB as JSON has them: no NaN, no infinity, no integer of more than 64 bits, no endless text."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

LONGEST_TEXT = 200
GREATEST_INTEGER = 2**63

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: Any) -> int | float | None:
    """None for what is no finite number. Integers beyond 64 bits and decimals become floats."""
    if value is None or (isinstance(value, int) and abs(value) < GREATEST_INTEGER):
        return value
    if isinstance(value, int | float | Decimal):
        found = float(value)
        return found if math.isfinite(found) else None
    raise TypeError(f"{type(value).__name__} is no number.")


def cut(text: str) -> str:
    """Its first 200 characters. NUL, which PostgreSQL's texts cannot have, becomes U+FFFD."""
    return text[:LONGEST_TEXT].replace("\0", "\ufffd")


def moment(text: str | None, kind: str) -> str | None:
    """A time that DuckDB wrote as text, in ISO 8601. Years that Python does not know stay as DuckDB writes them."""
    if text is None or kind == "DATE":
        return text
    try:
        return _written(datetime.fromisoformat(text))
    except ValueError:
        return text


def instant(seconds: float | None, kind: str) -> str | None:
    """Seconds since 1970 as a time in ISO 8601, of the type `kind`. None beyond the years 1 to 9999."""
    if seconds is None or not math.isfinite(seconds):
        return None
    try:
        at = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
    if kind == "DATE":
        return at.date().isoformat()
    return _written(at if "ZONE" in kind else at.replace(tzinfo=None))


def _written(at: datetime) -> str:
    """With a Z where it is in UTC, as everywhere in the API."""
    return at.isoformat().replace("+00:00", "Z")
