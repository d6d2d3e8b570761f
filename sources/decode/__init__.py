"""Bodies into rows: JSON, NDJSON, CSV, XLSX and XML, plain or packed by gzip or zip."""

from collections.abc import Iterator

from sources.bodies import Body
from sources.decode.content import Content
from sources.decode.csv_rows import decode_csv
from sources.decode.encoding import encoding_of, utf8
from sources.decode.json_rows import decode_json
from sources.decode.ndjson_rows import decode_ndjson
from sources.decode.packed import Packed
from sources.decode.sniff import format_of, refuse_foreign
from sources.decode.unpack import unpack
from sources.decode.xlsx_rows import decode_xlsx
from sources.decode.xml_rows import decode_xml
from sources.definition import Decode, RunLimits
from sources.errors import Undecodable
from sources.rows import Item

__all__ = ["check", "rows"]

_decoders = {"json": decode_json, "ndjson": decode_ndjson, "csv": decode_csv, "xml": decode_xml}


def rows(body: Body, spec: Decode, limits: RunLimits) -> Iterator[Item]:
    """The rows of one body, read as they are asked for; what is no row is a Rejected in its place.

    Memory stays flat whatever the body's size, except for a workbook (see decode_xlsx). The iterator may be dropped at
    any time; `body.file` stays open, at any position. Raises, while it is read, Undecodable, BadDefinition for an
    encoding that there is not, and LimitExceeded: more unpacked than `limits.bytes`, or still reading after
    `limits.seconds`. Rows are counted by who asks for them.
    """
    if _is_workbook(body, spec):
        yield from decode_xlsx(body, spec, limits)
        return
    content = _plain(body, spec, limits)
    yield from _decoders[format_of(content, spec)](content, spec)


def check(body: Body, spec: Decode, limits: RunLimits) -> None:
    """Raises what `rows` would, where the first MiB tells that there are none in the whole."""
    if _is_workbook(body, spec):
        return
    content = _plain(body, spec, limits)
    match format_of(content, spec):
        case "csv":
            encoding_of(content, spec)
        case "json" | "ndjson" as name:
            head = utf8(content, spec).peek(1)
            starts = [line.lstrip()[:40] for line in (head.splitlines() if name == "ndjson" else [head])]
            if any(starts) and not any(start.startswith((b"{", b"[")) for start in starts):
                raise Undecodable(f"This is no JSON of rows, it begins with {starts[0].decode(errors='replace')!r}.")


def _plain(body: Body, spec: Decode, limits: RunLimits) -> Content:
    content = unpack(body, spec, limits)
    refuse_foreign(content.stream.peek(1))
    return content


def _is_workbook(body: Body, spec: Decode) -> bool:
    is_workbook = Packed.is_zip(body.file) and Packed(body.file).is_workbook
    if is_workbook and spec.format not in ("auto", "xlsx"):
        raise Undecodable(f'This is an Excel workbook, not {spec.format}: set format to "xlsx".')
    if spec.format == "xlsx" and not is_workbook:
        body.file.seek(0)
        refuse_foreign(body.file.read(64))
        raise Undecodable("This is no Excel workbook (.xlsx): set the format that it has.")
    return is_workbook
