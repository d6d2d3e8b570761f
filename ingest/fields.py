"""What is read from an event beside its payload: its key, its type, its time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ingest.payload import Refused

MOST_CHARACTERS = 255  # of a key or a type
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Fields = tuple[str | None, str | None, str | None]  # key, type, time
Reader = Callable[[dict[str, Any]], Fields]


@lru_cache(maxsize=4096)
def reader(key_path: str, type_path: str, time_path: str) -> Reader:
    """A function that reads key, type and time from an event.

    A path is member names joined by dots; "" means the default, "-" none.
    """
    if not (key_path or type_path or time_path):
        return _read_default
    find_key, find_type = _finder(key_path or "id"), _finder(type_path or "type")
    find_time = _finder(time_path) if time_path else _default_time

    def read_fields(event: dict[str, Any]) -> Fields:
        return read_key(find_key(event)), read_type(find_type(event)), read_time(find_time(event))

    return read_fields


def _read_default(event: dict[str, Any]) -> Fields:
    key, time = event.get("id"), event.get("time")
    if type(key) is not str or not 0 < len(key) <= MOST_CHARACTERS:
        key = read_key(key)
    return key, read_type(event.get("type")), read_time(_default_time(event) if time is None else time)


def _finder(path: str) -> Callable[[dict[str, Any]], Any]:
    if path == "-":
        return lambda event: None
    *parents, name = path.split(".")
    if not parents:
        return lambda event: event.get(name)

    def find(event: Any) -> Any:
        for parent in parents:
            event = event.get(parent)
            if type(event) is not dict:
                return None
        return event.get(name)

    return find


def _default_time(event: dict[str, Any]) -> Any:
    time = event.get("time")
    if time is not None:
        return time
    return next((event[name] for name in ("timestamp", "ts") if event.get(name) is not None), None)


def read_key(value: Any) -> str | None:
    """Raises Refused for a key that does not fit: cut short it would be another's."""
    if type(value) is int:
        value = str(value)
    if type(value) is not str or not value:
        return None
    if len(value) > MOST_CHARACTERS:
        raise Refused(
            "key_too_long", f"The key {value[:40]!r}… has {len(value)} characters, more than {MOST_CHARACTERS}."
        )
    return value


def read_type(value: Any) -> str | None:
    return value if type(value) is str and 0 < len(value) <= MOST_CHARACTERS else None


def read_time(value: Any) -> str | None:
    """The moment in UTC as RFC 3339 text with microseconds, years 1 to 9999; None for what is no time."""
    try:
        if type(value) is str:
            moment = datetime.fromisoformat(value.upper() if value[-1:] == "z" else value)
            if value[-1] == "Z" and value[4:20:3] in _COMMON and (rest := _REST.get(len(value))):
                return value[:-1] + rest  # formatting would cost more than all else
        elif type(value) is int or type(value) is float:
            moment = EPOCH + _since_epoch(value)
        else:
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="microseconds")


_COMMON = ("--T::.", "--T::Z")  # every third character of 2026-11-22T15:40:56.123Z from the fifth on
_REST = {20: ".000000+00:00", 24: "000+00:00", 27: "+00:00"}


def _since_epoch(number: float) -> timedelta:
    """Unix seconds, milliseconds, microseconds or nanoseconds, told apart by their size."""
    size = abs(number)
    if size < 1e11:
        return timedelta(seconds=number)
    if size < 1e14:
        return timedelta(milliseconds=number)
    return timedelta(microseconds=number if size < 1e17 else int(number) // 1000)
