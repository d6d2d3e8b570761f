"""Many rows of a table, piece by piece in the order of an index.

Each piece is one query of its own, so a slow client keeps no transaction open; and it reads at most ROWS_A_PIECE rows,
whether they are wanted or not, so that rare ones take many short queries and not one that is too slow.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from ingest.columns import Selection, Table
from ingest.members import Sql
from ingest.reading import set_locally, time_limit

ROWS_A_PIECE = 20_000
BYTES_A_PIECE = 4 << 20
"""Of documents as they are stored, possibly compressed; one row is read in any case."""

PIECE = """(
    SELECT * FROM (
        SELECT *, sum(pg_column_size({document})) OVER earlier - pg_column_size({document}) AS bytes_before
        FROM ({scan}) AS scanned WINDOW earlier AS (ORDER BY {order} ROWS UNBOUNDED PRECEDING)
    ) AS counted WHERE bytes_before < %s
)"""
LINES = "SELECT string_agg({line}, '') FILTER (WHERE {wanted}), {last} FROM {piece} AS {table}"
ROWS = """
WITH {table} AS MATERIALIZED {piece}
SELECT NULL, {values} FROM {table} WHERE {wanted} UNION ALL SELECT {last}, {nothing} FROM {table}
"""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the rows of `table` that are `wanted`.

    `scan`: the next ROWS_A_PIECE after the row of that id, or from the beginning, in the order of the columns `order`;
    `last`: the id of the last of some rows, as text. `advice`: to those whose query is too
    slow. `settings` of PostgreSQL, for each query.
    """

    table: Table
    scan: Callable[[str | None], Sql]
    wanted: Sql
    order: str
    last: str
    advice: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def lines(self, selection: Selection) -> Iterator[bytes]:
        """Pieces of lines of JSON; empty where no row that was read is wanted. Raises QueryTooSlow; so does `rows`."""
        line, last = self.table.json_line(selection, end="\n"), None
        while True:
            piece = self._piece(last)
            text = self._filled(LINES, piece, line=line.text)
            [(lines, last)] = self._read(text, [*line.parameters, *self.wanted.parameters, *piece.parameters])
            if last is None:
                return
            yield (lines or "").encode()

    def rows(self, selection: Selection) -> Iterator[list[Row]]:
        """Pieces of rows of what is selected; empty where no row that was read is wanted."""
        values, nothing, last = self.table.values(selection), ", ".join(["NULL"] * len(selection)), None
        while True:
            piece = self._piece(last)
            text = self._filled(ROWS, piece, values=values.text, nothing=nothing)
            *found, (last, *_) = self._read(text, [*piece.parameters, *values.parameters, *self.wanted.parameters])
            if last is None:
                return
            yield [row[1:] for row in found]

    def _piece(self, last: str | None) -> Sql:
        scan, parameters = self.scan(last)
        text = PIECE.format(document=self.table.document, scan=scan, order=self.order)
        return Sql(text, [*parameters, BYTES_A_PIECE])

    def _filled(self, text: str, piece: Sql, **more: str) -> str:
        return text.format(table=self.table.name, wanted=self.wanted.text, last=self.last, piece=piece.text, **more)

    def _read(self, text: str, parameters: list[Any]) -> list[Row]:
        with time_limit(self.advice):
            for name, value in self.settings.items():
                set_locally(name, value)
            with connection.cursor() as cursor:
                cursor.execute(text, parameters)
                return list(cursor.fetchall())
