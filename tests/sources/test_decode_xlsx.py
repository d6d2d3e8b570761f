"""Excel workbooks into rows."""

import datetime
import io
import resource
import tracemalloc
import zipfile
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import psutil
import pytest
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from sources.bodies import Body
from sources.decode import rows
from sources.decode.xlsx_reader import MEMORY_BYTES
from sources.definition import Decode, RunLimits
from sources.errors import LimitExceeded, Undecodable
from tests.sources.decoding import decoded

SHEET = "xl/worksheets/sheet1.xml"


def workbook(*tables: list[list[Any]], then: Callable[[Worksheet], None] = lambda sheet: None) -> bytes:
    """A sheet "T1", "T2"… for each of the tables."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, table in enumerate(tables, 1):
        sheet = book.create_sheet(f"T{number}")
        for cells in table:
            sheet.append(cells)
        then(sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def changed(data: bytes, contents: dict[str, bytes]) -> bytes:
    """The archive with other contents in some of its members."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, contents.get(name, old.read(name)))
    return file.getvalue()


def test_values_keep_their_types() -> None:
    table: list[list[Any]] = [
        ["text", "whole", "part", "yes", "time", "day", "clock", "span", "none"],
        [
            "é",
            3.0,
            1.5,
            True,
            datetime.datetime(2021, 1, 2, 3, 4, 5),
            datetime.date(2020, 2, 29),
            datetime.time(3, 4),
            datetime.timedelta(hours=26, minutes=3, seconds=7),
            None,
        ],
    ]
    [row] = decoded(workbook(table))
    assert row == {
        "text": "é",
        "whole": 3,
        "part": 1.5,
        "yes": True,
        "time": "2021-01-02T03:04:05",
        "day": "2020-02-29",
        "clock": "03:04:00",
        "span": "26:03:07",
        "none": None,
    }
    assert isinstance(row, dict)
    assert type(row["whole"]) is int


def test_merged_cells_are_null_but_for_the_first_and_empty_rows_are_passed_over() -> None:
    data = workbook([["a", "b"], ["x", None], [None, None], ["y", 1]], then=lambda sheet: sheet.merge_cells("A2:B2"))
    assert decoded(data) == [{"a": "x", "b": None}, {"a": "y", "b": 1}]


def test_a_formula_is_its_stored_result() -> None:
    data = workbook([["a"], ["=1+1"]])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read(SHEET)
    assert b"<f>1+1</f><v" in sheet
    stored = sheet.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>").replace(
        b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"
    )
    assert decoded(changed(data, {SHEET: stored})) == [{"a": 2}]


def test_a_sheet_is_taken_by_name_or_number() -> None:
    data = workbook([["a"], [1]], [["b"], [2]])
    assert decoded(data) == [{"a": 1}]
    assert decoded(data, sheet=2) == decoded(data, sheet="T2") == [{"b": 2}]
    for sheet in ("T3", 3):
        with pytest.raises(Undecodable, match=rf"no sheet '?{sheet}'?; the sheets are 'T1', 'T2'"):
            decoded(data, sheet=sheet)


def test_rows_before_the_header_are_skipped() -> None:
    data = workbook([["Report"], [None], ["a", "b"], [1, 2]])
    assert decoded(data, skip_rows=1) == decoded(data, skip_rows=2) == [{"a": 1, "b": 2}]


def test_without_a_header_columns_are_numbered() -> None:
    assert decoded(workbook([[1, 2]]), header=False) == [{"column_1": 1, "column_2": 2}]


def test_an_empty_sheet_has_no_rows() -> None:
    assert decoded(workbook([])) == []


def test_cells_far_apart_cost_their_reader_alone() -> None:
    data = workbook([["a"]], then=lambda sheet: sheet.cell(1_048_576, 9000, 1) and None)
    with pytest.raises(LimitExceeded, match="far from all others"):
        decoded(data)


def test_more_than_10_000_columns_exceed_the_limit() -> None:
    with pytest.raises(LimitExceeded, match="10,001 columns"):
        decoded(workbook([["x"] * 10_001]))


def bomb() -> bytes:
    zeros = b"<worksheet>" + b" " * 300_000_000
    return changed(workbook([["a"]]), {SHEET: zeros})


def lying(data: bytes) -> bytes:
    """The archive with the sheet's unpacked size stated as 9 bytes, in the directory and before the member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo(SHEET).file_size
    assert data.count(size.to_bytes(4, "little")) == 2
    return data.replace(size.to_bytes(4, "little"), (9).to_bytes(4, "little"))


@pytest.mark.timeout(30)
def test_bombs_exceed_the_limit_also_when_they_lie_about_their_size() -> None:
    data = bomb()
    for archive in (data, lying(data)):
        started = monotonic()
        with pytest.raises(LimitExceeded, match="more than 200,000,000 bytes"):
            decoded(archive)
        assert monotonic() - started < 5


def slow() -> bytes:
    """A file of 400 kB, nine million cells."""
    cells = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    return changed(workbook([["a"]]), {SHEET: b"<worksheet><sheetData>" + cells * 9000 + b"</sheetData></worksheet>"})


@pytest.mark.timeout(60)
def test_a_reader_that_takes_longer_than_the_run_may_is_ended() -> None:
    data = slow()
    assert len(data) < 1_000_000
    items = rows(Body(io.BytesIO(data)), Decode(header=False), RunLimits(seconds=0.1))
    with pytest.raises(LimitExceeded, match="too much memory or time"):
        deque(items, maxlen=1)


@pytest.mark.parametrize("make", [bomb, slow])
@pytest.mark.timeout(60)
def test_hostile_workbooks_cost_the_worker_little_memory(make: Callable[[], bytes]) -> None:
    body = Body(io.BytesIO(make()))
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded):
            deque(rows(body, Decode(header=False), RunLimits(seconds=0.1)), maxlen=1)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_reader_may_have_two_gibibytes_and_no_more() -> None:
    data = workbook([["a"]], then=lambda sheet: sheet.cell(1_048_576, 9000, 1) and None)
    with pytest.raises(LimitExceeded):
        decoded(data)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 <= MEMORY_BYTES


def test_broken_workbooks_are_refused() -> None:
    data = workbook([["a"], [1]])
    with pytest.raises(Undecodable, match="zip archive is broken"):
        decoded(data[:-30], format="xlsx")
    with pytest.raises(Undecodable, match="workbook is broken"):
        decoded(changed(data, {"xl/workbook.xml": b"<workbook"}))
    with pytest.raises(Undecodable, match="an old or an encrypted Office file"):
        decoded(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), format="xlsx")
    with pytest.raises(Undecodable, match=r'set format to "xlsx"'):
        decoded(data, format="csv")
    with pytest.raises(Undecodable, match="no Excel workbook"):
        decoded(b"a,b\n1,2\n", format="xlsx")


def test_the_reader_ends_when_the_rows_are_dropped() -> None:
    data = workbook([["a", "b"]] + [[n, "x" * 100] for n in range(20_000)])
    items = rows(Body(io.BytesIO(data)), Decode(), RunLimits())
    assert next(items) == {"a": 0, "b": "x" * 100}
    assert any("xlsx_reader" in " ".join(child.cmdline()) for child in psutil.Process().children())
    items.close()  # type: ignore[attr-defined]
    assert not any("xlsx_reader" in " ".join(child.cmdline()) for child in psutil.Process().children())
