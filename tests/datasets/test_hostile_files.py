"""Files that were made to do harm, or came to harm: a sentence says what is wrong, or rows are left out and counted."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from datasets.errors import SnapshotFailed
from tests.datasets.files import in_order, read, types
from tests.sources.test_decode_xlsx import changed, workbook

FORMULA = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>'
    b"</sheetData></worksheet>"
)
LAUGHS = b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;">]><a><r>&c;</r></a>'
LONG_LINE = b"x" * 1000 + b"\n"
WIDE = b",".join(b"column %d" % number for number in range(10_000))


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (gzip.compress(LONG_LINE * 30_000), "a.csv.gz", "Unpacked, this has more than 20,000,000 bytes."),
        (zipped("a.csv", LONG_LINE * 30_000), "a.zip", "Unpacked, this has more than 20,000,000 bytes."),
        (gzip.compress(bytes(50_000_000), 1), "a.csv.gz", "longer than"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n")), "a.csv.gz", "packed once"),
        (gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], "a.csv.gz", "cut off"),
        (b"a\n" + b"1\n" * 100_001, "a.csv", "The file has more than 100,000 rows: send it in parts."),
        (WIDE + b"\n" + b",".join([b"1"] * 10_000), "a.csv", "The file has rows of 10,000 columns, more than 2,000"),
        (b'a,b\n"never closed' + b"x" * 5_000_000, "a.csv", ""),
        (LAUGHS, "a.xml", ""),
        (b"[" * 100_000, "a.json", ""),
        (b"", "a.csv", "empty"),
        (b"a,b\n", "a.csv", "no row that is a row of a table"),
        (b"{}\n{}\n", "a.ndjson", "no row that is a row of a table"),
        (b"%PDF-1.7 \xff\xfe", "a.csv", ""),
        (b"\x89PNG\r\n\x1a\n\0\0", "a.csv", ""),
        (b"PK\x03\x04 and nothing", "a.xlsx", ""),
    ],
    ids=lambda part: "content" if isinstance(part, bytes) else part,  # of archives it has the time in it
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, name: str, message: str
) -> None:
    with pytest.raises(SnapshotFailed) as refusal:
        read(tmp_path, content, name, rows=100_000, unpacked_bytes=20_000_000)
    assert message in str(refusal.value)
    assert str(refusal.value).endswith((".", "?", ")"))
    assert "limits." not in str(refusal.value)


def test_a_workbook_that_unpacks_to_more_than_it_may_is_refused(tmp_path: Path) -> None:
    bomb = changed(workbook([["a"], [1]]), {"xl/worksheets/sheet1.xml": b" " * 150_000_000})
    assert len(bomb) < 200_000
    with pytest.raises(SnapshotFailed):
        read(tmp_path, bomb, "bomb.xlsx")


def test_a_sheet_of_ten_thousand_columns_is_refused(tmp_path: Path) -> None:
    sheet = workbook([[f"c{number}" for number in range(10_000)], list(range(10_000))])
    with pytest.raises(SnapshotFailed, match="rows of 10,000 columns, more than 2,000: leave some out, or send a row"):
        read(tmp_path, sheet, "wide.xlsx")


def test_rows_that_are_ragged_or_in_another_encoding_are_left_out_and_counted(tmp_path: Path) -> None:
    content = b"name,n\nada,1\nbroken \xff\xfe,2\nbob\nca,rl,3\ndora,4\n\0,5\n"
    table = read(tmp_path, content, encoding="utf-8")
    assert in_order(table) == [("ada", 1), ("dora", 4)]
    assert table.snapshot.rejected == 4
    assert table.snapshot.notes[0] == (
        "2 rows are left out (ragged_row), such as the first: line 4 has 1 fields, not 2."
    )
    assert len(table.snapshot.notes) == 3


def test_values_that_cannot_be_kept_are_left_out_with_their_row(tmp_path: Path) -> None:
    texts = [
        b'{"a": 1}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a": NaN}',
        b'{"a": 2, "b": ' + b"[" * 70,
        b"[1]",
    ]
    table = read(tmp_path, b"\n".join([*texts, b'{"a": 3}']), "rows.ndjson")
    assert in_order(table) == [(1,), (3,)]
    assert table.snapshot.rejected == 5


def test_formulas_are_the_texts_that_they_are_and_their_results_in_a_workbook(tmp_path: Path) -> None:
    table = read(tmp_path, b'a\n"=HYPERLINK(""http://x"")"\n"=cmd|\' /C calc\'!A0"\n')
    assert in_order(table) == [('=HYPERLINK("http://x")',), ("=cmd|' /C calc'!A0",)]
    sheet = changed(workbook([["a"], [1]]), {"xl/worksheets/sheet1.xml": FORMULA})
    assert in_order(read(tmp_path, sheet, "book.xlsx")) == [(2.0,)]


@pytest.mark.parametrize("depth", [9, 30])
def test_what_is_nested_deep_is_json_from_the_eighth_level_on(tmp_path: Path, depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    table = read(tmp_path, orjson.dumps(value), "a.ndjson")
    [[found]] = in_order(table)
    assert list(types(table)) == ["a.a.a.a.a.a.a.a"]
    assert found == orjson.dumps(value).decode()[5 * 8 : -8]


def test_rows_with_thousands_of_names_each_its_own_take_little_memory_and_time(tmp_path: Path) -> None:
    rows = [{f"member-{n}-{m}": m for m in range(50)} for n in range(2000)]
    table = read(tmp_path, b"\n".join(map(orjson.dumps, rows)), "rows.ndjson")
    assert len(table.columns) == 200
    assert table.snapshot.notes[0].startswith("10,000 or more members have no column")
