"""Texts that surely tell nothing new, found in half of the time that json_structure takes.

The shape of a text is what types the values at all known paths have. If the text has no name that is not on one of
these paths, its shape says all that json_structure would, but for what is inside lists, which nobody asks. It has none
if it has as many names as values at the paths. Names are counted by the `":` after each; a string that has that in it
makes one too many, and the text is looked at.
"""

from dataclasses import dataclass, field

import duckdb

from datasets.engine.conversion import pointer
from datasets.engine.members import Members
from datasets.engine.table import literal, quoted

MOST_PATHS = 50
MOST_SHAPES = 16
LEARNT_ROWS = 20_000

NAMES = "(strlen({text}) - strlen(replace({text}, '\":', ''))) // 2"
SHAPES = """
SELECT types, names, count(*) FROM (
    SELECT json_type({text}, {paths}) AS types, {names} AS names FROM (SELECT {text} FROM {table} LIMIT {rows})
) WHERE names = list_count(types) GROUP BY ALL ORDER BY ALL DESC LIMIT {most}
"""


@dataclass(slots=True)
class Shapes:
    """Of JSON texts in the column `text` that have no space before a colon, such as PostgreSQL's.

    `known`: by the number of names, SQL of lists of types.
    """

    text: str
    paths: str = ""
    known: dict[int, list[str]] = field(default_factory=dict)

    def new(self, table: str) -> str:
        """SQL of the rows of the table of which the text may be of another shape."""
        if not self.known:
            return table
        shapes = (f"(names = {names} AND types IN ({', '.join(lists)}))" for names, lists in self.known.items())
        text, names = quoted(self.text), NAMES.format(text=quoted(self.text))
        shaped = f"SELECT {text}, json_type({text}, {self.paths}) AS types, {names} AS names FROM {table}"
        return f"(SELECT {text} FROM ({shaped}) WHERE ({' OR '.join(shapes)}) IS NOT true)"

    def learn(self, connection: duckdb.DuckDBPyConnection, table: str, members: Members) -> None:
        """From the first rows of the table, all of which are among the members' already."""
        paths = [member.path for member in members.root.walk() if member.path]
        # A number would lead into lists, too, where no name is.
        if len(paths) > MOST_PATHS or any(name.isdigit() for path in paths for name in path):
            self.known.clear()
            return
        self.paths = f"[{', '.join(literal(pointer(path)) for path in paths)}]::VARCHAR[]"
        text = quoted(self.text)
        sql = SHAPES.format(
            text=text,
            paths=self.paths,
            names=NAMES.format(text=text),
            table=table,
            rows=LEARNT_ROWS,
            most=MOST_SHAPES,
        )
        self.known.clear()
        for types, names, _ in connection.execute(sql).fetchall():
            types_of = ", ".join("NULL" if type is None else literal(type) for type in types)
            self.known.setdefault(names, []).append(f"[{types_of}]::VARCHAR[]")
