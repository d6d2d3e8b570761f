"""Members of a jsonb column, as SQL.

An index on a member (`ingest.field_indexes`) is used for a condition only where both are written with the same
expressions: those that are made here.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

INDEXED_CHARACTERS = 200
"""Of a text. A longer one might not fit into an entry of an index, and PostgreSQL would refuse the row."""

_index = re.compile(r"\d+", re.ASCII)


class Sql(NamedTuple):
    """A piece of SQL and the parameters of its placeholders."""

    text: str
    parameters: list[Any]


@dataclass(frozen=True, slots=True)
class Path:
    """The way to a member."""

    names: tuple[str, ...]

    def sql(self, column: str) -> Sql:
        """The member as jsonb, NULL where there is none. `column` is SQL and not checked, here and below."""
        return self._steps(column, "")

    def text(self, column: str) -> Sql:
        """The member as text, a string without its quotes. Half the time of the text of the member as jsonb."""
        return self._steps(column, ">")

    def beginning(self, column: str) -> Sql:
        """The first INDEXED_CHARACTERS of it, to be compared by code point.

        Beside a shorter text it compares as the whole does.
        """
        text, names = self.text(column)
        return Sql(f'({text}::varchar({INDEXED_CHARACTERS}) COLLATE "C")', names)

    def number(self, column: str) -> Sql:
        """The member as numeric, NULL where it is no number. An index of these costs half of one of jsonb."""
        member, names = self.sql(column)
        return Sql(f"(CASE jsonb_typeof({member}) WHEN 'number' THEN {member}::numeric END)", [*names, *names])

    def is_text(self, column: str) -> Sql:
        """Whether it is one, never NULL.

        PostgreSQL takes a CASE for true of one row in two. The second WHEN, which changes nothing, makes it dearer than
        any comparison of the text, so that it is looked at where these hold and not the other way round.
        """
        member, names = self.sql(column)
        return Sql(
            f"CASE jsonb_typeof({member}) WHEN 'string' THEN true WHEN 'object' THEN false ELSE false END", names
        )

    def _steps(self, column: str, last: Literal["", ">"]) -> Sql:
        # `->` takes a name in objects alone; `#>` would also take -1 or +1 for the place of an element.
        ends = [""] * (len(self.names) - 1) + [last]
        steps = "".join(
            f" #>{end} %s::text[]" if _index.fullmatch(name) else f" ->{end} %s::text"
            for name, end in zip(self.names, ends, strict=True)
        )
        return Sql(f"({column}{steps})", [[name] if _index.fullmatch(name) else name for name in self.names])
