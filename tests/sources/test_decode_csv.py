"""Delimited text into rows."""

import codecs
import csv
import io
import tracemalloc

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sources.errors import BadDefinition, LimitExceeded, SourceError, Undecodable
from sources.rows import Rejected
from tests.sources.decoding import decoded, refusals

# Of what csv reads back equal: a field has no NUL, a row is no empty line.
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
tables = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
)


@settings(deadline=None)
@given(
    tables,
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_csv_writes_is_read_back(
    table: list[list[str]], delimiter: str, end: str, encoding: str, quoting: int
) -> None:
    # Unless told to quote everything, csv quotes no other ends of lines than its own.
    assume(quoting == csv.QUOTE_ALL or not any(set("\r\n") & set(cell) for row in table for cell in row))
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    names = [f"column_{number}" for number in range(1, len(table[0]) + 1)]
    items = decoded(
        text.getvalue().encode(encoding), format="csv", header=False, delimiter=delimiter, encoding=encoding
    )
    assert items == [dict(zip(names, row, strict=True)) for row in table]


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    lines = ["name:price:note", "a:1.5:x, y; z", 'b:"2:5":', "c:3:2021-01-01 10:00"[:-6]]
    data = "\n".join(line.replace(":", delimiter) for line in lines if delimiter not in line)
    assert decoded(data.encode())[-1] == {"name": "c", "price": "3", "note": "2021-01-01"}


def test_decimal_commas_do_not_make_the_delimiter() -> None:
    assert decoded(b"a;b\n1,5;2,5\n2,5;3,5\n") == [{"a": "1,5", "b": "2,5"}, {"a": "2,5", "b": "3,5"}]


def test_the_header_s_names_are_made_unique_and_not_empty() -> None:
    assert decoded(b"a, a ,,a,a_2\n1,2,3,4,5\n") == [{"a": "1", "a_3": "2", "column_3": "3", "a_4": "4", "a_2": "5"}]


def test_lines_before_the_header_are_skipped_and_empty_ones_everywhere() -> None:
    assert decoded(b"Report;of;things\n(made today)\n\nx,y\n\n1,\n\n", skip_rows=2) == [{"x": "1", "y": ""}]


def test_ragged_lines_are_rejected() -> None:
    items = decoded(b"a,b\n1,2\n3\n\n4,5,6\n7,8\n")
    assert [item for item in items if isinstance(item, dict)] == [{"a": "1", "b": "2"}, {"a": "7", "b": "8"}]
    assert refusals(items) == [
        ("ragged_row", "line 3 has 1 fields, not 2"),
        ("ragged_row", "line 5 has 3 fields, not 2"),
    ]
    assert isinstance(items[1], Rejected)
    assert items[1].row == ["3"]


def test_a_file_of_one_column_needs_no_delimiter() -> None:
    assert decoded(b"name\nx\ny\n", name="n.csv") == [{"name": "x"}, {"name": "y"}]


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252"])
def test_the_charset_that_the_other_side_says_is_followed(charset: str) -> None:
    assert decoded("a,b\né,ü\n".encode(charset), charset=charset) == [{"a": "é", "b": "ü"}]


def test_a_wrong_charset_is_an_error_unless_the_right_one_is_configured() -> None:
    utf8, latin = "a,b\né,ü\n".encode(), "a,b\né,ü\n".encode("latin-1")
    with pytest.raises(Undecodable, match=r"Sent as iso8859-1, but it is UTF-8: set decode\.encoding"):
        decoded(utf8, charset="iso-8859-1")
    with pytest.raises(Undecodable, match=r"Sent as utf-8, but byte 4 is not"):
        decoded(latin, charset="utf-8")
    assert decoded(utf8, charset="iso-8859-1", encoding="utf-8") == decoded(utf8)
    assert decoded(latin, charset="utf-8", encoding="latin-1") == decoded(utf8)


def test_an_encoding_that_nobody_says_is_guessed() -> None:
    words = ["název", "město", "příjmení", "ulice", "žluťoučký kůň", "úpěl ďábelské ódy", "řeřicha", "čtvrtek"]
    data = "a,b\n" + "".join(f"{word},{word}\n" for word in words * 5)
    assert decoded(data.encode("cp1250"), format="csv")[1] == {"a": "město", "b": "město"}


@pytest.mark.parametrize("encoding", ["x-nothing", "hex", "idna", "rot13", "unicode_escape"])
def test_only_encodings_of_text_can_be_configured(encoding: str) -> None:
    with pytest.raises(BadDefinition, match="no text encoding"):
        decoded(b"a,b\n1,2\n", encoding=encoding)


def test_bytes_that_do_not_fit_cost_their_line_alone() -> None:
    data = b"a,b\n" + b"1,2\n" * 300_000 + b"x,\xe9\n" + b"3,4\n"
    items = decoded(data, format="csv")
    assert refusals(items) == [
        ("undecodable_bytes", "line 300,002 has a byte 0xe9 that is not utf-8; set decode.encoding")
    ]
    assert items[-1] == {"a": "3", "b": "4"}


def test_a_stray_byte_does_not_change_the_encoding_of_the_others() -> None:
    items = decoded("a,b\né,ü\n".encode() + b"x,\xe9\n", format="csv")
    assert items[0] == {"a": "é", "b": "ü"}
    assert items[1] == Rejected("decode", "undecodable_bytes", refusals(items)[0][1], ["x", "?"])


def test_nul_is_refused() -> None:
    assert refusals(decoded(b"a,b\n1,2\n\0,3\n")) == [
        ("nul_character", "line 3 has a NUL; is this a text in UTF-16, or no text?")
    ]
    with pytest.raises(Undecodable, match="The header has a NUL"):
        decoded("a,b\n1,2\n".encode("utf-16-le"), format="csv")


def test_utf_16_without_a_mark_can_be_configured() -> None:
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        data = "a,b\né,2\n".encode(encoding)
        assert decoded(data, encoding=encoding) == decoded(data, charset=encoding[:6]) == [{"a": "é", "b": "2"}]


def test_an_empty_body_lacks_its_header() -> None:
    with pytest.raises(Undecodable, match="no header row"):
        decoded(b"", format="csv")
    assert decoded(b"", format="csv", header=False) == []


HOSTILE = {
    "columns": (b",".join(b"c%d" % number for number in range(500_000)), "500,000 columns; 10,000 are read"),
    "million columns": (b",".join(b"name_%d" % number for number in range(1_000_000)), "longer than 4,194,304 bytes"),
    "open quote": (b'a,b\n1,"' + b"x,y\n" * 500_000, "Line .*field larger than field limit.*quote"),
    "endless line": (b"a,b\n" + b"x" * 30_000_000, "longer than 4,194,304 bytes"),
    "blank lines": (b"a,b\n" + b"\n" * 30_000_000, "more than 1,000,000 empty lines"),
    "half a character": (codecs.BOM_UTF16_LE + "a,b\n1,2".encode("utf-16-le") + b"x", "is not utf-16"),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.timeout(20)
def test_hostile_files_are_refused_in_little_memory(what: str) -> None:
    data, reason = HOSTILE[what]
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=reason) as error:
            decoded(data, format="csv")
        assert isinstance(error.value, (Undecodable, LimitExceeded))
        assert tracemalloc.get_traced_memory()[1] < 120_000_000
    finally:
        tracemalloc.stop()
