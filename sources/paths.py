"""Dot-separated paths of names into a row.

"zone.price" is the member `zone.price` of the row if there is one (flattening makes such), else what the rest of the
path finds in its member `zone`. The longest name that is there wins, at every level, and there is no way back from it.
Lists are not entered. The empty path is the row itself.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from sources.rows import Row


class _Missing(Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING
"""What a path gives that leads nowhere; null is None."""

Getter = Callable[[Row], Any]
Trail = list[tuple[Row, str]]
_Step = tuple[str, int]  # a name that may stand here, and how many parts of the path it takes


def getter(path: str) -> Getter:
    """A function that gives what stands at the path, or MISSING."""
    if not path:
        return lambda row: row
    if "." not in path:
        return lambda row: row.get(path, MISSING)
    if path.count(".") == 1:
        return _getter_of_two(path)
    find = tracer(path)

    def get(row: Row) -> Any:
        trail = find(row)
        return trail[-1][0][trail[-1][1]] if trail else MISSING

    return get


def _getter_of_two(path: str) -> Getter:
    outer, inner = path.split(".")

    def get(row: Row) -> Any:
        if path in row:
            return row[path]
        member = row.get(outer)
        return member.get(inner, MISSING) if isinstance(member, dict) else MISSING

    return get


def tracer(path: str) -> Callable[[Row], Trail]:
    """A function that gives the way to what stands at a path: objects, and of each the member; [] for MISSING."""
    levels = _levels(path.split("."))

    def trace(row: Any) -> Trail:
        trail: Trail = []
        position, here = 0, row
        while position < len(levels):
            step = (
                next((step for step in levels[position] if step[0] in here), None) if isinstance(here, dict) else None
            )
            if step is None:
                return []
            trail.append((here, step[0]))
            position, here = position + step[1], here[step[0]]
        return trail

    return trace


def _levels(parts: list[str]) -> list[list[_Step]]:
    """For each position in the path the names that may stand there, the longest first."""
    ends = range(len(parts), 0, -1)
    return [[(".".join(parts[start:end]), end - start) for end in ends if end > start] for start in range(len(parts))]
