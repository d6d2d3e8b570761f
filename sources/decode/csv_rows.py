"""Delimited text into rows."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from sources.decode.columns import column_names, numbered
from sources.decode.content import Content
from sources.decode.encoding import encoding_of, misfit, with_bounded_lines
from sources.definition import Decode
from sources.errors import LimitExceeded, Undecodable
from sources.rows import Item, Rejected

if TYPE_CHECKING:
    import _csv

MAX_LINE_BYTES = 4_194_304
MAX_FIELD_CHARACTERS = 1_048_576
_DELIMITERS = ",;\t|"
_SAMPLE_BYTES = 65_536
_SAMPLE_ROWS = 100
_EMPTY_LINES = 1_000_000

csv.field_size_limit(MAX_FIELD_CHARACTERS)  # of the process; Python's own default is 131,072


def decode_csv(content: Content, spec: Decode) -> Iterator[Item]:
    """A row for each line that has as many fields as the header, each a text; other lines are Rejected.

    So are lines with a NUL, or with bytes that are not in the encoding: in a configured one each, else those that
    encoding_of lets pass. Empty lines are passed over. LimitExceeded for more than 10,000 columns, a line of 4 MiB, a
    field of a million characters.
    """
    encoding = encoding_of(content, spec)
    delimiter = spec.delimiter or _delimiter(content, spec, encoding)
    bounded = with_bounded_lines(content.stream, MAX_LINE_BYTES)
    text = io.TextIOWrapper(bounded, encoding, errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=delimiter)
    try:
        for _ in range(spec.skip_rows):
            text.readline()
        yield from _rows(reader, spec, encoding)
    except UnicodeDecodeError as error:
        raise misfit(error, encoding) from None
    except csv.Error as error:
        where = f"Line {spec.skip_rows + reader.line_num:,}"
        if "field larger" in str(error):
            raise LimitExceeded(
                f"{where}: {error}; is a quote never closed, or the delimiter not {delimiter!r}?"
            ) from None
        raise Undecodable(f"{where}: {error}.") from None


def _rows(reader: "_csv.Reader", spec: Decode, encoding: str) -> Iterator[Item]:
    first = next((fields for fields in reader if fields), None)
    if first is None:
        if spec.header:
            raise Undecodable("The body is empty: there is no header row.")
        return
    if not spec.header:
        yield from _table(chain([first], reader), numbered(len(first)), reader, spec.skip_rows, encoding)
        return
    if refusal := _refusal(first, len(first), encoding):
        raise Undecodable(f"The header {refusal[1]}.")
    yield from _table(reader, column_names(first), reader, spec.skip_rows, encoding)


def _table(
    lines: Iterable[list[str]], names: list[str], reader: "_csv.Reader", skipped: int, encoding: str
) -> Iterator[Item]:
    width, empty = len(names), 0
    for fields in lines:
        if len(fields) == width:
            text = "".join(fields)
            if text.isascii() and "\0" not in text:
                yield dict(zip(names, fields))  # noqa: B905 (they have one length; saying so takes a tenth longer)
                continue
        elif not fields:
            empty += 1
            if empty > _EMPTY_LINES:
                raise Undecodable(f"There are more than {_EMPTY_LINES:,} empty lines.")
            continue
        if refusal := _refusal(fields, width, encoding):
            where = f"line {skipped + reader.line_num:,}"
            yield Rejected("decode", refusal[0], f"{where} {refusal[1]}", [_shown(field) for field in fields[:width]])
        else:
            yield dict(zip(names, fields, strict=True))


def _refusal(fields: list[str], width: int, encoding: str) -> tuple[str, str] | None:
    text = "".join(fields)
    if "\0" in text:
        return "nul_character", "has a NUL; is this a text in UTF-16, or no text?"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) - 0xDC00
        return "undecodable_bytes", f"has a byte 0x{byte:02x} that is not {encoding}; set decode.encoding"
    if len(fields) != width:
        return "ragged_row", f"has {len(fields):,} fields, not {width:,}"
    return None


def _shown(field: str) -> str:
    """What can be stored of a field that cannot."""
    return field.encode(errors="replace").decode().replace("\0", "?")


def _delimiter(content: Content, spec: Decode, encoding: str) -> str:
    """The character that cuts the first lines into the same number of fields most often, and into most fields."""
    if content.content_type == "text/tab-separated-values" or content.name.lower().endswith(".tsv"):
        return "\t"
    head = content.stream.peek(1)
    text = io.StringIO(head[:_SAMPLE_BYTES].decode(encoding, errors="replace"), newline="")
    sample = list(text)[spec.skip_rows :]
    if len(sample) > 1 and len(head) > _SAMPLE_BYTES:
        sample.pop()  # cut off
    return max(_DELIMITERS, key=lambda delimiter: _fitness(sample, delimiter))


def _fitness(sample: list[str], delimiter: str) -> tuple[float, int]:
    widths: Counter[int] = Counter()
    try:
        for fields in csv.reader(sample, delimiter=delimiter):
            if fields:
                widths[len(fields)] += 1
            if widths.total() == _SAMPLE_ROWS:
                break
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    width, rows = widths.most_common(1)[0]
    return (rows / widths.total(), width) if width > 1 else (0.0, 0)
