"""The largest value of a field over the rows of a run: where the next run goes on."""

from typing import Any

from sources.paths import MISSING, getter
from sources.rows import Row


class Highest:
    """Numbers are compared as numbers, all else as text: ISO 8601 times in one zone are in order then.

    `value` is what was given at first as long as no row has more.
    """

    def __init__(self, path: str, value: Any = None) -> None:
        self._get = getter(path)
        self.value = value

    def look(self, row: Row) -> None:
        value = self._get(row)
        if value is MISSING or value is None or isinstance(value, bool | list | dict):
            return
        if self.value is None or _order(value) > _order(self.value):
            self.value = value


def _order(value: Any) -> tuple[int, Any]:
    """Texts that are numbers count as numbers."""
    try:
        return (0, float(value))
    except (TypeError, ValueError):
        return (1, str(value))
