"""The largest value of a field over the rows of a run: where the next run goes on."""

from decimal import Decimal
from math import isfinite
from typing import Any

from sources.paths import MISSING, getter
from sources.rows import Row

_Order = tuple[int, int | float | Decimal | str]


class Highest:
    """Numbers are compared as numbers, all else as text: ISO 8601 times in one zone are in order then.

    `value` is what was given at first as long as no row has more; None instead of what is no cursor.
    """

    def __init__(self, path: str, value: Any = None) -> None:
        self._get = getter(path)
        self._order = order(value)
        self.value = value if self._order else None

    def look(self, row: Row) -> None:
        value = self._get(row)
        if value is MISSING or (found := order(value)) is None:
            return
        if self._order is None or found > self._order:
            self.value, self._order = value, found


def order(value: Any) -> _Order | None:
    """Where a cursor stands among others, texts that are numbers as numbers. None: it is no cursor.

    NaN and infinite numbers are none, nor are texts such as "nan" and "inf": nothing would come after them.
    """
    if value is None or value == "" or isinstance(value, bool | list | dict):
        return None
    try:
        number = _number(value)
    except ValueError:
        return (1, str(value))
    return (0, number) if isinstance(number, int) or isfinite(number) else None


def _number(value: Any) -> int | float | Decimal:
    if isinstance(value, int | float | Decimal):
        return value
    try:
        return int(str(value))
    except ValueError:
        return float(str(value))
