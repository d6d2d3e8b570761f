"""How far a source has read: the last value of its cursor column.

A run asks for `>=` this value, since rows may have been added that share it, and leaves out those of them that it read
before. With a lookback, rows before it come again: their load is idempotent. A row without a value is read at the first
run only, until it has one.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sources.errors import BadDefinition

MOST_KNOWN = 1000
NO_VALUES = frozenset({None, "NaN", "Infinity", "-Infinity", "infinity", "-infinity"})
ORDERED = (str, int, float, Decimal)


class Position:
    """{"cursor": a JSON value or {"decimal": text}, "known": fingerprints of rows that have it}"""

    def __init__(self, column: str, state: Mapping[str, Any], lookback_seconds: float) -> None:
        stored = state.get("cursor")
        self.value: Any = Decimal(stored["decimal"]) if isinstance(stored, dict) else stored
        self._column = column
        self._lookback_seconds = lookback_seconds
        self._known = frozenset(state.get("known", ())) if not lookback_seconds else frozenset()
        self._sharing: list[Sequence[Any]] = []

    def start(self) -> Any:
        """The least value to ask for. Raises BadDefinition when there is no telling what precedes it."""
        if self.value is None or not self._lookback_seconds:
            return self.value
        return earlier(self.value, self._lookback_seconds)

    def take(self, value: Any, values: Sequence[Any]) -> bool:
        """Whether the row is not known. `value`: its cursor as JSON; rows come in the order of their cursors."""
        if not isinstance(value, ORDERED) and value is not None:
            raise BadDefinition(f"cursor_column {self._column!r} must have numbers, times or text.")
        if value in NO_VALUES:
            return True
        if value != self.value:
            self.value, self._known, self._sharing = value, frozenset(), [values]
            return True
        if self._known and fingerprint(values) in self._known:
            return False
        if len(self._sharing) <= MOST_KNOWN:
            self._sharing.append(values)
        return True

    def state(self) -> dict[str, Any]:
        if self.value is None:
            return {}
        known = self._known | {fingerprint(values) for values in self._sharing}
        return {
            "cursor": {"decimal": str(self.value)} if isinstance(self.value, Decimal) else self.value,
            "known": sorted(known) if len(known) <= MOST_KNOWN else [],
        }


def fingerprint(values: Sequence[Any]) -> str:
    text = json.dumps(list(values), default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def earlier(value: Any, seconds: float) -> Any:
    """Numbers less so much, times and dates before so many seconds, in the spelling that they have."""
    if isinstance(value, int):
        return value - math.ceil(seconds)
    if isinstance(value, float):
        return value - seconds
    if isinstance(value, Decimal):
        return value - Decimal(str(seconds))
    for kind, step in ((date, timedelta(days=math.ceil(seconds / 86_400))), (datetime, timedelta(seconds=seconds))):
        try:
            return _spelled(kind.fromisoformat(value) - step, like=value)
        except ValueError:
            continue
        except OverflowError:
            return value
    raise BadDefinition("lookback_seconds needs a cursor_column with numbers or times, and this one has other text.")


def _spelled(time: date | datetime, like: str) -> str:
    if not isinstance(time, datetime):
        return time.isoformat()
    text = time.isoformat(sep=" " if " " in like else "T")
    return text.replace("+00:00", "Z") if like.endswith("Z") else text
