"""Many rows of a table, piece by piece in the order of an index.

Each piece is one query of its own, so a slow client keeps no transaction open; and it reads at most ROWS_READ rows,
whether they are wanted or not, so that rare ones take many short queries and not one that is too slow.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from ingest.columns import Selection, Table
from ingest.members import Sql
from ingest.reading import time_limit

ROWS_A_PIECE = 5000

FEW_ROWS = 500
FEW_BYTES = 100_000
"""When fewer rows were wanted of those that were read, or their lines have fewer bytes, twice as many are read next."""

ROWS_READ = 20_000

BYTES_A_PIECE = 4 << 20
"""Of documents as they are stored, possibly compressed; one row is read in any case."""

PIECE = """
WITH {table} AS MATERIALIZED ({scan}), whole AS MATERIALIZED (
    SELECT count(*) AS found, coalesce(sum(pg_column_size({document})), 0) AS bytes FROM {table}
)
"""
END = "{last}, (SELECT found FROM whole), (SELECT bytes FROM whole)::bigint"
FITS = f"(SELECT found = 1 OR bytes <= {BYTES_A_PIECE} FROM whole)"
LINES = PIECE + f"SELECT {END}, string_agg({{line}}, '') FILTER (WHERE {FITS} AND {{wanted}}) FROM {{table}}"
ROWS = PIECE + (
    f"SELECT NULL, NULL, NULL, {{values}} FROM {{table}} WHERE {FITS} AND {{wanted}}"
    f" UNION ALL SELECT {END}, {{nothing}} FROM {{table}}"
)

Row = tuple[Any, ...]
Id = Any
"""Of a row, as psycopg gives it: a UUID or an int."""


class _Bytes(Loader):
    """A text as it comes, to be sent on: neither decoded nor encoded."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the rows of `table` that are `wanted`.

    `scan`: at most so many rows after the one of that id, or from the beginning, in the order of an index; `last`: the
    id of the last of some rows in that order. `advice`: to those whose query is too slow. `settings` of PostgreSQL, for
    each query.
    """

    table: Table
    scan: Callable[[Id | None, int], Sql]
    wanted: Sql
    last: str
    advice: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def lines(self, selection: Selection) -> Iterator[bytes]:
        """Pieces of lines of JSON; empty where no row that was read is wanted. Raises QueryTooSlow; so does `rows`."""
        line = self.table.json_line(selection, end="\n")

        def query(scan: Sql) -> Sql:
            text = self._filled(LINES, scan, line=line.text)
            return Sql(text, [*scan.parameters, *line.parameters, *self.wanted.parameters])

        last, rows = None, ROWS_A_PIECE
        while True:
            [(last, *_, lines)], rows = self._read(query, last, rows, _Bytes)
            if last is None:
                return
            yield lines or b""
            rows = _next_rows(rows, were_few=len(lines or b"") < FEW_BYTES)

    def rows(self, selection: Selection) -> Iterator[list[Row]]:
        """Pieces of rows of what is selected; empty where no row that was read is wanted."""
        values, nothing = self.table.values(selection), ", ".join(["NULL"] * len(selection))

        def query(scan: Sql) -> Sql:
            text = self._filled(ROWS, scan, values=values.text, nothing=nothing)
            return Sql(text, [*scan.parameters, *values.parameters, *self.wanted.parameters])

        last, rows = None, ROWS_A_PIECE
        while True:
            (*found, (last, *_)), rows = self._read(query, last, rows)
            if last is None:
                return
            yield [row[3:] for row in found]
            rows = _next_rows(rows, were_few=len(found) < FEW_ROWS)

    def _read(
        self, query: Callable[[Sql], Sql], last: Id | None, rows: int, loader: type[Loader] | None = None
    ) -> tuple[list[Row], int]:
        """What the query finds of so many rows, or of fewer if they are too large for a piece; and of how many.

        Its last row begins with the id of the last row, how many there were, and their bytes.
        """
        while True:
            with time_limit(self.advice, **self.settings):
                result = _fetched(query(self.scan(last, rows)), loader)
            _, found, size, *_ = result[-1]
            if found <= 1 or size <= BYTES_A_PIECE:
                return result, rows
            rows = max(1, min(found // 2, found * BYTES_A_PIECE // size))

    def _filled(self, text: str, scan: Sql, **more: str) -> str:
        names = {"table": self.table.name, "document": self.table.document, "last": self.last}
        return text.format(scan=scan.text, wanted=self.wanted.text, **names, **more)


def _next_rows(rows: int, were_few: bool) -> int:
    return min(2 * rows, ROWS_READ) if were_few else ROWS_A_PIECE


def _fetched(query: Sql, loader: type[Loader] | None) -> list[Row]:
    """`loader`: of texts."""
    with connection.cursor() as cursor:
        if loader:
            cursor.cursor.adapters.register_loader("text", loader)
        cursor.execute(query.text, query.parameters)
        return list(cursor.fetchall())
