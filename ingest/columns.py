"""What can be shown of the rows of a table that has a column of jsonb: columns, and members of that one.

Each of them as JSON text that PostgreSQL makes, and as a value by itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import orjson

from ingest.conditions import InvalidCondition, parse_path
from ingest.members import Path, Sql

MOST_SHOWN = 50

Kind = Literal["text", "json", "time", "integer"]

Selection = tuple[tuple[str, Path | None], ...]
"""Names as they are shown, with the way into the document of those that are members of it."""


class Shown(NamedTuple):
    """`json`: constants, and SQL that is never NULL, together JSON text.

    `value`: an integer, or else text: of "json" JSON, of "time" RFC 3339. NULL where there is none.
    """

    kind: Kind
    json: tuple[str | Sql, ...]
    value: Sql


@dataclass(frozen=True, slots=True)
class Table:
    """`name`: of the table or of a subquery. `document`: its column of jsonb. `columns` are made at each query."""

    name: str
    document: str
    columns: Mapping[str, Callable[[], Shown]]

    @property
    def all(self) -> Selection:
        return tuple((name, None) for name in self.columns)

    def parse_selection(self, text: str) -> Selection:
        """Of `id,received_at,payload.site`. Raises InvalidCondition."""
        names = text.split(",")
        if len(names) > MOST_SHOWN:
            raise InvalidCondition(f"It has {len(names)} names, more than {MOST_SHOWN}.")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InvalidCondition(f"'{twice}' is there twice.")
        return tuple((name, None if name in self.columns else self._path(name)) for name in names)

    def json_line(self, selection: Selection, end: str = "") -> Sql:
        """The JSON text of a row, and `end`."""
        tokens: list[str | Sql] = []
        for place, (name, path) in enumerate(selection):
            tokens += ["," if place else "{", orjson.dumps(name).decode(), ":", *self._shown(name, path).json]
        return _joined(_merged([*tokens, "}" + end]))

    def values(self, selection: Selection) -> Sql:
        """What is selected, with commas between."""
        found = [self._shown(name, path).value for name, path in selection]
        return Sql(", ".join(one.text for one in found), [each for one in found for each in one.parameters])

    def kinds(self, selection: Selection) -> list[tuple[str, Kind]]:
        """Names with what their values are."""
        return [(name, self._shown(name, path).kind) for name, path in selection]

    def _path(self, name: str) -> Path:
        if not name.startswith(f"{self.document}."):
            raise InvalidCondition(
                f"There is no '{name}'; there are {', '.join(self.columns)} and {self.document}.<path>."
            )
        return parse_path(name, self.document)

    def _shown(self, name: str, path: Path | None) -> Shown:
        if path is None:
            return self.columns[name]()
        member, names = path.sql(f'"{self.name}"."{self.document}"')
        value = Sql(f"{member}::text", names)
        return Shown("json", (Sql(f"coalesce({value.text}, 'null')", names),), value)


def document(column: str) -> Shown:
    value = Sql(f"{column}::text", [])
    return Shown("json", (value,), value)


def text(expression: str) -> Shown:
    return Shown("text", (Sql(f"coalesce(to_json({expression})::text, 'null')", []),), Sql(expression, []))


def uuid(column: str) -> Shown:
    value = Sql(f"{column}::text", [])
    return Shown("text", ('"', value, '"'), value)


def integer(column: str) -> Shown:
    return Shown("integer", (Sql(f"coalesce({column}::text, 'null')", []),), Sql(column, []))


def moment(column: str) -> Shown:
    """A time that every row has."""
    written = _rfc3339(column)
    return Shown("time", ('"', Sql(written, []), '"'), Sql(written, []))


def time(column: str) -> Shown:
    written = _rfc3339(column)
    return Shown("time", (Sql(f"coalesce('\"' || {written} || '\"', 'null')", []),), Sql(written, []))


def _rfc3339(column: str) -> str:
    """As everywhere in the API: six digits of a second, or none. The session is in UTC."""
    return f"""replace(to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '')"""


def _merged(tokens: Iterable[str | Sql]) -> list[Sql]:
    """Neighbouring constants in one."""
    merged, constant = [], ""
    for token in tokens:
        if isinstance(token, str):
            constant += token
        else:
            merged += [Sql("%s::text", [constant]), token] if constant else [token]
            constant = ""
    return [*merged, Sql("%s::text", [constant])]


def _joined(pieces: Sequence[Sql]) -> Sql:
    """One text of them, none of which is NULL: by halves, so that none is copied often. Cheaper than concat()."""
    if len(pieces) == 1:
        return pieces[0]
    middle = len(pieces) // 2
    left, right = _joined(pieces[:middle]), _joined(pieces[middle:])
    return Sql(f"({left.text} || {right.text})", [*left.parameters, *right.parameters])
