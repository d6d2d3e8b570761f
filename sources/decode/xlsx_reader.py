"""A process of its own: the workbook comes on standard input, the rows of one sheet go to standard output.

Messages are four bytes of length, most significant first, and JSON: a list of rows, each a list of cells; an empty list
at the end; or {"error", "detail"}. A process that ends without any of these ran out of memory or time. Nothing of the
service is imported here, so that the process starts quickly and knows no secrets.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, time, timedelta
from typing import Any

import orjson
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

MEMORY_BYTES = 2_147_483_648
CPU_SECONDS = 300
_CELLS_A_MESSAGE = 20_000
_EXACT = 2**53


class Refused(Exception):
    def __init__(self, error: str, detail: str) -> None:
        super().__init__(error, detail)


def main(sheet: str | int, max_columns: int, seconds: float) -> None:
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CPU, int(min(seconds, CPU_SECONDS)) + 1)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        for rows in _batches(_open(sheet), max_columns):
            _send(rows)
        _send([])
    except Refused as refusal:
        _send(dict(zip(("error", "detail"), refusal.args, strict=True)))
    except MemoryError:
        _send({"error": "limit_exceeded", "detail": "The sheet needs too much memory: provide it as CSV."})
    except CalamineError as error:
        _send({"error": "undecodable", "detail": f"The workbook is broken: {error}."})


def _limit(kind: int, amount: int) -> None:
    with suppress(OSError, ValueError):  # some systems lack one
        resource.setrlimit(kind, (amount, amount))


def _open(sheet: str | int) -> CalamineSheet:
    workbook = CalamineWorkbook.from_filelike(sys.stdin.buffer)
    names = workbook.sheet_names
    if sheet in names:
        return workbook.get_sheet_by_name(str(sheet))
    if isinstance(sheet, int) and sheet <= len(names):
        return workbook.get_sheet_by_index(sheet - 1)
    there = ", ".join(repr(name) for name in names[:50])
    raise Refused("undecodable", f"There is no sheet {sheet!r}; the sheets are {there}.")


def _batches(sheet: CalamineSheet, max_columns: int) -> Iterator[list[Any]]:
    if sheet.width > max_columns:
        raise Refused("limit_exceeded", f"The sheet has {sheet.width:,} columns; {max_columns:,} are read at most.")
    size = max(1, _CELLS_A_MESSAGE // max(1, sheet.width))
    rows: list[Any] = []
    for cells in sheet.iter_rows():
        rows.append([_value(cell) for cell in cells])
        if len(rows) == size:
            yield rows
            rows = []
    if rows:
        yield rows


def _value(cell: Any) -> Any:
    kind = type(cell)
    if kind is str:
        return cell or None
    if kind is float:
        return int(cell) if -_EXACT < cell < _EXACT and cell.is_integer() else cell
    if kind is timedelta:
        minutes, seconds = divmod(cell.total_seconds(), 60)
        return f"{int(minutes // 60)}:{int(minutes % 60):02}:{int(seconds):02}"
    return cell.isoformat() if isinstance(cell, (date, time)) else cell


def _send(message: Any) -> None:
    data = orjson.dumps(message)
    sys.stdout.buffer.write(len(data).to_bytes(4, "big") + data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*orjson.loads(sys.argv[1]))
