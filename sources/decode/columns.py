"""The names of a table's columns."""

from collections import Counter
from collections.abc import Sequence

from sources.errors import LimitExceeded

MAX_COLUMNS = 10_000


def column_names(cells: Sequence[object]) -> list[str]:
    """From the cells of a header row: column_N where one is empty; what is there already gets _2, _3…

    Raises LimitExceeded for more than 10,000.
    """
    check_width(len(cells))
    wanted = [("" if cell is None else str(cell).strip()) or f"column_{n}" for n, cell in enumerate(cells, 1)]
    taken, seen = set(wanted), Counter[str]()
    return [_free(name, taken, seen) for name in wanted]


def numbered(width: int) -> list[str]:
    return column_names([None] * width)


def check_width(width: int) -> None:
    if width > MAX_COLUMNS:
        raise LimitExceeded(f"The table has {width:,} columns; {MAX_COLUMNS:,} are read at most.")


def _free(name: str, taken: set[str], seen: Counter[str]) -> str:
    seen[name] += 1
    if seen[name] == 1:
        return name
    while (numbered_name := f"{name}_{seen[name]}") in taken:
        seen[name] += 1
    taken.add(numbered_name)
    return numbered_name
