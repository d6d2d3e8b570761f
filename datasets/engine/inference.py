"""Types of what came as text: a column has one that all its values have, but for empty ones, which are then null.

Integers have at most 18 digits, and like numbers no zero before them: what has is a code, such as 007, and stays text.
Dates and times are those of ISO 8601; times without a zone are in UTC.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datasets.engine.table import literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS_AT_ONCE = 50

_WHOLE = "(0|[1-9][0-9]{0,17})"
_EXPONENT = "([eE][+-]?([0-9]{1,2}|1[0-9]{2}|2[0-8][0-9]))"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ZONE = " ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"


@dataclass(frozen=True)
class TextType:
    """`type` as DuckDB calls it, of texts that match `pattern` in full and can be cast."""

    type: str
    pattern: str

    def fits(self, text: str) -> str:
        """SQL: whether it is one; `text` is SQL of a text without spaces around it."""
        return f"regexp_full_match({text}, {literal(self.pattern)}) AND TRY_CAST({text} AS {self.type}) IS NOT NULL"


TIMES = (
    TextType("DATE", _DAY),
    TextType(
        "TIMESTAMP WITH TIME ZONE", f"{_DAY}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,9}})?)?({_ZONE})?)?"
    ),
)
ALL = (
    TextType("BIGINT", f"[+-]?{_WHOLE}"),
    TextType("DOUBLE", f"[+-]?({_WHOLE}([.][0-9]*)?|[.][0-9]+){_EXPONENT}?"),
    TextType("BOOLEAN", "(?i)true|false"),
    *TIMES,
)


def infer(
    connection: "DuckDBPyConnection", table: str, columns: Sequence[str], types: Sequence[TextType]
) -> dict[str, str]:
    """Of these columns of texts, those that have one of the types, the first that fits. `table` is SQL."""
    found: dict[str, str] = {}
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        some = columns[start : start + COLUMNS_AT_ONCE]
        answers = ", ".join(answer for name in some for answer in _answers(name, types))
        row = iter(connection.execute(f"SELECT {answers} FROM {table}").fetchall()[0])
        for name in some:
            fitting = [one.type for one in types if next(row)]
            if fitting:
                found[name] = fitting[0]
    return found


def cast(name: str, type: str) -> str:
    """SQL of the column as that type."""
    return f"CAST(nullif({_trimmed(name)}, '') AS {type})"


def _answers(name: str, types: Sequence[TextType]) -> Iterator[str]:
    """NULL for a column in which nothing is."""
    text = _trimmed(name)
    for one in types:
        yield f"bool_and({one.fits(text)}) FILTER ({text} <> '')"


def _trimmed(name: str) -> str:
    return f"trim({quoted(name)})"
