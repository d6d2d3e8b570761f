"""Where the last run ended, as the other side wants to be asked for what came after."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sources.conversion import make_converter
from sources.cursor import order
from sources.definition import Http, HttpCursor
from sources.errors import BadDefinition
from sources.paths import MISSING, getter
from sources.rows import Row

Window = tuple[datetime, datetime]
"""From, and up to but without."""

_SMALLEST_MILLISECONDS = 100_000_000_000
"""Unix times above are in milliseconds: in seconds it would be the year 5138."""
_SMALLEST_SECONDS = 100_000_000
"""A smaller number is rather one of a row than a time before March 1973."""


def cursor_value(spec: Http, state: dict[str, Any]) -> str | None:
    """What extract.cursor.parameter gets: state["cursor"] less the look-back, else the initial value as it stands.

    None: no cursor, or nothing to go on from. Raises BadDefinition when a time is needed and the cursor is none.
    """
    if spec.cursor is None:
        return None
    found = state.get("cursor")
    if order(found) is None:
        return spec.cursor.initial or None
    return _formatted(spec.cursor, found)


def _formatted(cursor: HttpCursor, found: Any) -> str:
    seconds = cursor.lookback_seconds
    if cursor.format == "as_is" and seconds == 0:
        return str(found)
    number = _number(found)
    if cursor.format == "as_is" and number is not None:
        return _text(number - _lookback(seconds, number))
    return _written(cursor.format, _time(cursor, found, number) - timedelta(seconds=seconds))


def _written(format_: str, time: datetime) -> str:
    match format_:
        case "unix":
            return str(_milliseconds(time) // 1000)
        case "unix_ms":
            return str(_milliseconds(time))
        case _:
            return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def window_values(spec: Http, state: dict[str, Any], window: Window) -> dict[str, str]:
    """What the cursor's parameters get for a window, by their names.

    A format of as_is means Unix time, in seconds or milliseconds, if the cursor so far (or else the initial one) is
    such a number, and ISO 8601 if there is none or it is text. Raises BadDefinition when it is no time.
    """
    cursor = spec.cursor
    if cursor is None:
        return {}
    form = _format_so_far(cursor, state) if cursor.format == "as_is" else cursor.format
    names = (cursor.parameter, cursor.until_parameter)
    return {name: _written(form, time) for name, time in zip(names, window, strict=True) if name}


def _format_so_far(cursor: HttpCursor, state: dict[str, Any]) -> str:
    found = next((value for value in (state.get("cursor"), cursor.initial) if order(value) is not None), None)
    number = _number(found)
    if number is None or number == 0:  # from the beginning, in whatever unit
        return "iso8601" if number is None else "unix"
    if abs(number) < _SMALLEST_SECONDS:
        raise BadDefinition(
            f"extract.cursor: the field {cursor.field} holds {found}, a number that is no time, so there is no way to"
            " ask for a stretch of time: take a field with times for a backfill, or set format."
        )
    return "unix_ms" if abs(number) > _SMALLEST_MILLISECONDS else "unix"


class Within:
    """Whether the cursor of a row lies in a window: a service may know no end, or more than one meaning of it."""

    def __init__(self, field: str, window: Window) -> None:
        self._get = getter(field)
        self._time = make_converter("time")
        self._window = window

    def __call__(self, row: Row) -> bool:
        """Not, without a cursor, as in a database. Raises RowRejected when it is no time."""
        value = self._get(row)
        if value is MISSING or value is None or (time := self._time(value)) is None:
            return False
        starts_at, ends_at = self._window
        return bool(starts_at <= time < ends_at)


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
