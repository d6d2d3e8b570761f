"""What databases give, as JSON values.

Numbers and booleans stay; numerics are Decimals; dates, times and intervals are ISO 8601 text, with `+00:00` if the
column knows its zone and without if not, for the mapping to say which; bytes are base64; arrays and JSON stay lists and
objects; NaN and the infinities, for which JSON has no word, are their names; anything else is its text.
"""

import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sources.errors import BadDefinition
from sources.rows import Row

AS_IT_IS = frozenset({int, bool, type(None)})
BYTES_OF_A_NUMBER = 8


def make_row(names: Sequence[str]) -> Callable[[Iterable[Any]], tuple[Row, int]]:
    """A function from a row's values to the row and about how many bytes it has.

    Raises BadDefinition when two columns have one name.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadDefinition(f"The query gives {', '.join(twice)} more than once: name the columns apart with AS.")

    def row_of(values: Iterable[Any]) -> tuple[Row, int]:
        row = dict(zip(names, values, strict=True))
        size = 0
        for name, value in row.items():
            kind = type(value)
            if kind is str:
                size += len(value)
            elif kind in AS_IT_IS:
                size += BYTES_OF_A_NUMBER
            else:
                row[name], more = sized(value)
                size += more
        return row, size

    return row_of


def sized(value: Any) -> tuple[Any, int]:
    plain = json_value(value)
    return plain, len(plain) if isinstance(plain, str) else _size(plain)


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_size, value))
    if isinstance(value, dict):
        return sum(len(name) + _size(part) for name, part in value.items())
    return len(value) if isinstance(value, str) else BYTES_OF_A_NUMBER


def json_value(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float | Decimal):
        return value if math.isfinite(value) else _name(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode("ascii")
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, dict):
        return {str(name): json_value(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(part) for part in value]
    return str(value)


def _name(value: float | Decimal) -> str:
    if value.is_nan() if isinstance(value, Decimal) else math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _duration(value: timedelta) -> str:
    """ISO 8601: PT26H0M1.5S is P1DT2H0M1.5S here."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    seconds = f"{rest % 60}.{value.microseconds:06}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{hours}H{rest // 60}M{seconds}S"
