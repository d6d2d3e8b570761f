"""Many rows of a table, piece by piece in the order of an index.

Each piece is one query of its own, so a slow client keeps no transaction open; and it reads at most ROWS_READ rows,
whether they are wanted or not, so that rare ones take many short queries and not one that is too slow. While a piece
is handled PostgreSQL works on the next.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from ingest.columns import Selection, Table
from ingest.errors import QueryTooSlow
from ingest.members import Sql
from ingest.reading import time_limit

ROWS_A_PIECE = 5000

FEW_ROWS = 500
FEW_BYTES = 100_000
"""When fewer rows were wanted of those that were read, or their lines have fewer bytes, twice as many are read next."""

ROWS_READ = 20_000

BYTES_A_PIECE = 4 << 20
"""Of documents; one row is read in any case."""

SIZE = """
CASE WHEN pg_column_compression({document}) IS NULL THEN pg_column_size({document})
    ELSE octet_length({document}::text) END
"""
"""Of a document: as it is stored or, if that is compressed, as it is sent."""

PIECE = f"""
WITH {{table}} AS MATERIALIZED ({{scan}}), whole AS MATERIALIZED (
    SELECT count(*) AS found, coalesce(sum({SIZE}), 0) AS bytes FROM {{table}}
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
        """Pieces of lines of JSON, and between them empty ones.

        After one with lines the next should be asked for at once: the query for it is under way, and a transaction
        open. After an empty one there is time. Raises QueryTooSlow. All of this is true of `rows`, too.
        """
        line = self.table.json_line(selection, end="\n")

        def query(scan: Sql) -> Sql:
            text = self._filled(LINES, scan, line=line.text)
            return Sql(text, [*scan.parameters, *line.parameters, *self.wanted.parameters])

        for result in self._results(query, lambda result: len(result[0][3] or b"") < FEW_BYTES, _Bytes):
            lines: bytes | None = result[0][3] if result else b""
            if lines is not None:
                yield lines

    def rows(self, selection: Selection) -> Iterator[list[Row]]:
        """Pieces of rows of what is selected, and between them empty ones."""
        values, nothing = self.table.values(selection), ", ".join(["NULL"] * len(selection))

        def query(scan: Sql) -> Sql:
            text = self._filled(ROWS, scan, values=values.text, nothing=nothing)
            return Sql(text, [*scan.parameters, *values.parameters, *self.wanted.parameters])

        for result in self._results(query, lambda result: len(result) <= FEW_ROWS):
            if len(result) != 1:
                yield [row[3:] for row in result[:-1]]

    def _results(
        self, query: Callable[[Sql], Sql], were_few: Callable[[list[Row]], bool], loader: type[Loader] | None = None
    ) -> Iterator[list[Row]]:
        """What the query finds for one piece after the other, and an empty list where none is under way.

        The last row of a result begins with the id of the last row that was read, how many there were, and their bytes.
        If those are too many for a piece there is nothing else in it, and fewer rows are read.
        """
        last, rows, result = None, ROWS_A_PIECE, list[Row]()
        while True:
            handled, result = result, []
            try:
                with time_limit(self.advice, **self.settings), _sent(query(self.scan(last, rows)), loader) as cursor:
                    if handled:
                        yield handled
                    result = cursor.fetchall()
            except QueryTooSlow:
                if not handled:
                    raise
                continue  # PostgreSQL's time goes on while what it has made is not fetched: now nothing is handled
            reached, found, size, *_ = result[-1]
            if found == 0:
                return
            if found > 1 and size > BYTES_A_PIECE:
                rows = max(1, min(found // 2, found * BYTES_A_PIECE // size))
            else:
                last, rows = reached, min(2 * rows, ROWS_READ) if were_few(result) else ROWS_A_PIECE
                yield []

    def _filled(self, text: str, scan: Sql, **more: str) -> str:
        names = {"table": self.table.name, "document": self.table.document, "last": self.last}
        return text.format(scan=scan.text, wanted=self.wanted.text, **names, **more)


@contextmanager
def _sent(query: Sql, loader: type[Loader] | None) -> Iterator[Any]:
    """The cursor of a query that PostgreSQL has begun with; fetching waits for it. `loader`: of texts."""
    with connection.wrap_database_errors, connection.connection.pipeline(), connection.cursor() as cursor:
        if loader:
            cursor.cursor.adapters.register_loader("text", loader)
        cursor.execute(query.text, query.parameters)
        yield cursor
