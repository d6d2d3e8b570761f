"""Rows as files: NDJSON for programs, CSV for spreadsheets, Parquet for analysts; in memory that does not grow.

PostgreSQL makes whole pieces of finished lines: Python touches no row of NDJSON.
"""

from collections.abc import Callable, Iterator

import msgspec

from ingest.columns import Selection
from ingest.parquet import ParquetWriter
from ingest.pieces import Reader
from ingest.streaming import Pieces, csv_cell, csv_lines

_line = msgspec.json.Decoder(dict[str, msgspec.Raw])


def ndjson(reader: Reader, selection: Selection) -> Pieces:
    """A line for each row. Raises QueryTooSlow; so do the others."""
    yield from reader.lines(selection)


def csv_table(reader: Reader, selection: Selection) -> Pieces:
    """A column for each name that is selected, those of the document as JSON, and no cell a formula."""
    header = csv_lines([[name for name, _ in selection]])
    for lines in reader.lines(selection):
        yield header + csv_lines(map(_cells, lines.splitlines()))
        header = b""
    yield header


def _cells(line: bytes) -> Iterator[str]:
    return (csv_cell(bytes(value)) for value in _line.decode(line).values())


def parquet(reader: Reader, selection: Selection) -> Pieces:
    """A column for each name that is selected: times as such, those of the document as JSON."""
    writer = ParquetWriter(reader.table.kinds(selection))
    for rows in reader.rows(selection):
        yield writer.add(rows)
    yield writer.close()


FORMATS: dict[str, tuple[str, Callable[[Reader, Selection], Pieces]]] = {
    "csv": ("text/csv; charset=utf-8", csv_table),
    "ndjson": ("application/x-ndjson", ndjson),
    "parquet": ("application/vnd.apache.parquet", parquet),
}
