"""Rows of an uploaded file, as JSON texts in chunks. What is no row is left out, and counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from datasets.errors import SnapshotFailed
from ingest.payload import Limits
from sources import decode
from sources.bodies import Body
from sources.definition import Decode, RunLimits
from sources.errors import LimitExceeded, RowRejected, SourceError
from sources.load import values
from sources.rows import Item, Rejected, Row

if TYPE_CHECKING:
    import pyarrow

TEXT = "row"
MOST_COLUMNS = 2000
MOST_ROW_BYTES = 1 << 20
CHUNK_ROWS = 100_000
CHUNK_BYTES = 32 << 20
REASONS_SHOWN = 3


class File(Struct, frozen=True):
    """`decode`: as a dataset's definition has it, or None for Parquet. `unpacked_bytes`, `rows`: at most."""

    path: str
    name: str
    content_type: str
    decode: dict[str, Any] | None
    unpacked_bytes: int
    rows: int
    seconds: float


@dataclass
class Rejections:
    """The rows that are left out: how many for which reason, and what was said of the first with that reason."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, detail: str) -> None:
        self.counts[code] += 1
        self.first.setdefault(code, detail)

    @property
    def total(self) -> int:
        return self.counts.total()

    def notes(self) -> list[str]:
        return [
            f"{count:,} rows are left out ({code}), such as the first: {self.first[code].rstrip('.')}."
            for code, count in self.counts.most_common(REASONS_SHOWN)
        ]


def chunks(file: File, rejections: Rejections) -> Iterator[tuple["pyarrow.Table", float]]:
    """At least one, of a column of JSON texts, with the share of the file that is read. Raises SnapshotFailed."""
    import pyarrow

    size = max(1, Path(file.path).stat().st_size)
    with Path(file.path).open("rb") as opened:
        for texts in _gathered(_rows(file, Body(opened, file.content_type, name=file.name)), file.rows, rejections):
            array = pyarrow.array(texts, pyarrow.utf8())
            typed = pyarrow.ExtensionArray.from_storage(pyarrow.json_(pyarrow.utf8()), array)
            yield pyarrow.table({TEXT: typed}), min(1.0, opened.tell() / size)


def _rows(file: File, body: Body) -> Iterator[Item]:
    spec = msgspec.convert(file.decode, Decode)
    try:
        yield from decode.rows(body, spec, RunLimits(bytes=file.unpacked_bytes, rows=file.rows, seconds=file.seconds))
    except LimitExceeded as error:
        raise SnapshotFailed(f"{str(error).partition(': see limits.')[0].rstrip('.')}.") from error
    except SourceError as error:
        raise SnapshotFailed(str(error)) from error


def _gathered(rows: Iterator[Item], most: int, rejections: Rejections) -> Iterator[list[bytes]]:
    texts: list[bytes] = []
    size = sent = 0
    for number, row in enumerate(rows, 1):
        if number > most:
            raise SnapshotFailed(f"The file has more than {most:,} rows: send it in parts.")
        text = _text(row, rejections)
        if text is not None:
            texts.append(text)
            size += len(text)
        if len(texts) >= CHUNK_ROWS or size >= CHUNK_BYTES:
            yield _accepted(texts, rejections)
            texts, size, sent = [], 0, sent + 1
    if texts or not sent:
        yield _accepted(texts, rejections)


def _text(row: Item, rejections: Rejections) -> bytes | None:
    if isinstance(row, Rejected):
        rejections.add(row.code, row.detail)
        return None
    _check_width(row)
    try:
        return values.encode(row)
    except RowRejected as refusal:
        rejections.add(refusal.code, str(refusal))
        return None


def _check_width(row: Row) -> None:
    if len(row) > MOST_COLUMNS:
        raise SnapshotFailed(
            f"The file has rows of {len(row):,} columns, more than {MOST_COLUMNS:,}: leave some out, or send a row"
            " for each value, with the name of its column beside it."
        )


def _accepted(texts: list[bytes], rejections: Rejections) -> list[bytes]:
    """Without those that could not be read again: see ingest.payload."""
    refused = values.refusals(texts, Limits(max_event_bytes=MOST_ROW_BYTES, max_events=1 << 62))
    for refusal in refused.values():
        rejections.add(refusal.code, str(refusal))
    return [text for place, text in enumerate(texts) if place not in refused] if refused else texts
