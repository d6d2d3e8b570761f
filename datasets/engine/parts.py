"""The Parquet files of a snapshot in the making: one for each chunk of rows that have JSON texts."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from datasets.engine import conversion, inference
from datasets.engine.conversion import BEYOND, Conversion
from datasets.engine.inference import TextType
from datasets.engine.members import Member, Members
from datasets.engine.structures import Structures
from datasets.engine.table import literal, quoted
from datasets.errors import SnapshotFailed
from datasets.snapshot import Column

if TYPE_CHECKING:
    import pyarrow

CHUNK = "chunk"
FEWEST_IN_GROUP, MOST_IN_GROUP = 2048, 122_880
VALUES_IN_GROUP = 4_000_000
"""That each thread keeps in memory until it writes them, whatever the number of columns."""


class Parts:
    """`text`: the column of the chunks that has the JSON texts; the others stay as they are.

    Numbers of a column that turns out to have texts, too, are written again as texts at the end. `filled`: how many
    values of the other columns are not null. Raises SnapshotFailed when the files have more than `most_bytes`.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, folder: Path, text: str, members: Members, most_bytes: int
    ) -> None:
        self.rows = 0
        self.bytes = 0
        self.filled = Counter[str]()
        self._connection = connection
        self._folder = folder
        self._text = text
        self._members = members
        self._most_bytes = most_bytes
        self._fixed: list[Column] = []
        self._types: list[dict[str, str]] = []
        self._drafts = 0
        self._structures = Structures(connection, text, members)

    def add(self, chunk: "pyarrow.Table") -> None:
        """Chunks have the same columns. An empty one is a part, too: of no rows, it says which columns there are."""
        self._connection.register(CHUNK, chunk)
        try:
            if not self._fixed:
                self._fixed = [one for one in described(self._connection, CHUNK) if one.name != self._text]
            self._structures.learn(chunk)
            self._members.name_columns(chunk.num_rows, [one.name for one in self._fixed])
            self._write()
        finally:
            self._connection.unregister(CHUNK)
        self.rows += chunk.num_rows
        for one in self._fixed:
            self.filled[one.name] += chunk.num_rows - chunk.column(one.name).null_count

    def finish(self) -> list[Column]:
        """The columns of all parts together."""
        columns = [member for member in self._members.columns if member.is_column]
        for number, types in enumerate(self._types):
            texts = [one.name for one in columns if one.type == "VARCHAR" and types.get(one.name) == "DOUBLE"]
            if texts:
                self._rewrite(number, {name: number_as_text(quoted(name)) for name in texts})
        return [*self._fixed, *(Column(member.name, member.type) for member in columns)]

    def infer(self, columns: Sequence[str], types: Sequence[TextType]) -> dict[str, str]:
        """Give these columns of texts the types that all their values have; which have got one."""
        paths = ", ".join(literal(str(self._path(number))) for number in range(len(self._types)))
        found = inference.infer(self._connection, f"read_parquet([{paths}], union_by_name=true)", columns, types)
        for number, there in enumerate(self._types):
            casts = {name: inference.cast(name, type) for name, type in found.items() if name in there}
            if casts:
                self._rewrite(number, casts)
        return found

    def _rewrite(self, number: int, values: dict[str, str]) -> None:
        """Write a part again with SQL for some of its columns."""
        path = self._path(number)
        replaced = ", ".join(f"{value} AS {quoted(name)}" for name, value in values.items())
        draft = self._copied(f"SELECT * REPLACE ({replaced}) FROM read_parquet({literal(str(path))})")
        self._count(draft.stat().st_size - path.stat().st_size)
        draft.rename(path)

    def _write(self) -> None:
        path = self._path(len(self._types))
        made = conversion.conversion(self._members, self._text)
        try:
            draft = self._copied(self._select(made))
        except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
            if isinstance(error, duckdb.InvalidInputException) and BEYOND not in str(error):
                raise
            self._look_at_numbers(made)
            draft = self._copied(self._select(conversion.conversion(self._members, self._text)))
        self._types.append({member.name: member.type for member in self._members.columns})
        self._count(draft.stat().st_size)
        draft.rename(path)

    def _select(self, made: Conversion) -> str:
        return conversion.select(made, [one.name for one in self._fixed], self._text, CHUNK)

    def _look_at_numbers(self, made: Conversion) -> None:
        asked, sql = conversion.beyond(made, self._text, CHUNK)
        for member, is_beyond in zip(asked, self._connection.execute(sql).fetchall()[0], strict=True):
            _widen(member, is_beyond)

    def _copied(self, sql: str) -> Path:
        """A file with a name of its own: one that fails is deleted by DuckDB, sometimes only when we go on already."""
        self._drafts += 1
        draft = self._folder / f"draft-{self._drafts}"
        columns = len(self._fixed) + len(self._members.columns)
        self._connection.execute(f"COPY ({sql}) TO {literal(str(draft))} {parquet(columns)}")
        return draft

    def _count(self, size: int) -> None:
        self.bytes += size
        check_size(self.bytes, self._most_bytes)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.parquet"


def parquet(columns: int) -> str:
    """Options for COPY of so many columns."""
    rows = max(FEWEST_IN_GROUP, min(MOST_IN_GROUP, VALUES_IN_GROUP // max(1, columns)))
    return f"(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {rows})"


def check_size(size: int, most: int) -> None:
    """Raises SnapshotFailed for more than `most` bytes."""
    if size > most:
        raise SnapshotFailed(
            f"The data needs more than {most / 1e9:.1f} GB as a snapshot: select less of it, or raise SNAPSHOTS_MAX_GB."
        )


def described(connection: duckdb.DuckDBPyConnection, table: str) -> list[Column]:
    return [Column(name, type) for name, type, *_ in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()]


def number_as_text(value: str) -> str:
    """As JSON writes it: 7, and not 7.0."""
    is_whole = f"{value} = trunc({value}) AND abs({value}) < 1e15"
    return f"CASE WHEN {is_whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"


def _widen(member: Member, is_beyond: bool) -> None:
    if is_beyond and member.type == "DOUBLE":
        member.has_infinite = True
    elif is_beyond:
        member.is_large = True
