"""A sheet of an Excel workbook into rows."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

import orjson

from sources.bodies import Body
from sources.decode.columns import MAX_COLUMNS, column_names, numbered
from sources.decode.packed import Packed
from sources.definition import Decode, RunLimits
from sources.errors import LimitExceeded, Undecodable
from sources.rows import Item

MAX_UNPACKED_BYTES = 200_000_000
_READER = Path(__file__).with_name("xlsx_reader.py")

Cells = list[Any]


def decode_xlsx(body: Body, spec: Decode, limits: RunLimits) -> Iterator[Item]:
    """A row for each row of the sheet that has a value, under the names in its first such row (after `skip_rows`).

    Values are text, numbers (whole ones as integers), booleans, dates and times as ISO 8601 text, durations as
    h:mm:ss; a formula is its stored result; an empty cell, or one merged into another, is null.

    The sheet is read whole, in a process of its own that has 2 GiB of memory at most: a sheet of a few kilobytes can
    claim any amount. LimitExceeded for that, for workbooks that unpack to more than 200 MB, and more than 10,000
    columns; Undecodable for a broken workbook, and a sheet that is not there.
    """
    Packed(body.file).check_size(min(MAX_UNPACKED_BYTES, limits.bytes))
    with tempfile.TemporaryFile() as copy:
        body.file.seek(0)
        shutil.copyfileobj(body.file, copy)
        copy.seek(0)
        table = _sheet(copy, spec.sheet, limits.seconds)
        try:
            yield from _rows(table, spec)
        finally:
            table.close()


def _rows(table: Iterator[Cells], spec: Decode) -> Iterator[Item]:
    for _ in range(spec.skip_rows):
        next(table, None)
    full = (cells for cells in table if any(cell is not None for cell in cells))
    first = next(full, None)
    if first is None:
        return
    if spec.header:
        names = column_names(first)
    else:
        names = numbered(len(first))
        yield dict(zip(names, first, strict=True))
    for cells in full:
        yield dict(zip(names, cells, strict=True))


def _sheet(workbook: IO[bytes], sheet: str | int, seconds: float) -> Generator[Cells]:
    """The rows of the sheet from its first one, all of the same length."""
    command = [sys.executable, "-I", str(_READER), orjson.dumps([sheet, MAX_COLUMNS, seconds]).decode()]
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    with subprocess.Popen(
        command, stdin=workbook, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as reader:
        try:
            while rows := _message(reader):
                if isinstance(rows, dict):
                    _fail(rows)
                yield from rows
        finally:
            reader.kill()


def _message(reader: subprocess.Popen[bytes]) -> Any:
    assert reader.stdout is not None
    start = reader.stdout.read(4)
    size = int.from_bytes(start, "big")
    data = reader.stdout.read(size) if len(start) == 4 else b""
    if len(start) < 4 or len(data) < size:
        if reader.wait() < 0:  # ended by the system
            raise LimitExceeded(
                "The sheet needs too much memory or time: are there cells far from all others? Provide it as CSV."
            )
        raise Undecodable("The workbook is broken: it cannot be read.")
    return orjson.loads(data)


def _fail(message: dict[str, Any]) -> NoReturn:
    if message["error"] == "limit_exceeded":
        raise LimitExceeded(message["detail"])
    raise Undecodable(message["detail"])
