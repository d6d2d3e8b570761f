"""Where the last run ended, as the other side wants to be asked for what came after."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sources.definition import Http, HttpCursor
from sources.errors import BadDefinition

_SMALLEST_MILLISECONDS = 100_000_000_000
"""Unix times above are in milliseconds: in seconds it would be the year 5138."""


def cursor_value(spec: Http, state: dict[str, Any]) -> str | None:
    """What extract.cursor.parameter gets: state["cursor"] less the look-back, else the initial value as it stands.

    None: no cursor, or nothing to go on from. Raises BadDefinition when a time is needed and the cursor is none.
    """
    if spec.cursor is None:
        return None
    found = state.get("cursor")
    if found is None or found == "":
        return spec.cursor.initial or None
    return formatted(spec.cursor, found)


def formatted(cursor: HttpCursor, found: Any, lookback: bool = True) -> str:
    """Raises BadDefinition."""
    seconds = cursor.lookback_seconds if lookback else 0.0
    if cursor.format == "as_is" and seconds == 0:
        return str(found)
    number = _number(found)
    if cursor.format == "as_is" and number is not None:
        return _text(number - _lookback(seconds, number))
    time = _time(cursor, found, number) - timedelta(seconds=seconds)
    match cursor.format:
        case "unix":
            return str(_milliseconds(time) // 1000)
        case "unix_ms":
            return str(_milliseconds(time))
        case _:
            return time.isoformat().replace("+00:00", "Z")


def _number(found: Any) -> Decimal | None:
    try:
        number = Decimal(str(found))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _lookback(seconds: float, number: Decimal) -> Decimal:
    scale = 1000 if abs(number) > _SMALLEST_MILLISECONDS else 1
    return Decimal(str(seconds)) * scale


def _text(number: Decimal) -> str:
    return str(int(number)) if number == number.to_integral_value() else format(number, "f")


def _time(cursor: HttpCursor, found: Any, number: Decimal | None) -> datetime:
    """In UTC. A time without a zone is taken to be in UTC."""
    try:
        if number is not None:
            scale = 1000 if abs(number) > _SMALLEST_MILLISECONDS else 1
            return datetime.fromtimestamp(float(number) / scale, UTC)
        time = datetime.fromisoformat(str(found))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise BadDefinition(
            f"extract.cursor: the field {cursor.field} holds {str(found)[:100]!r}, which is no time: "
            "set format to as_is and leave out lookback_seconds."
        ) from None


def _milliseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
