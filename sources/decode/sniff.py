"""What a body is: by its content type, its name, its first bytes; and what it is for certain not."""

from typing import Literal

import orjson

from sources.decode.content import Content
from sources.decode.marks import known_encoding, marked_encoding
from sources.definition import Decode
from sources.errors import Undecodable

Format = Literal["json", "ndjson", "csv", "xml"]

GZIP = b"\x1f\x8b"
SUFFIXES: dict[str, Format] = {
    ".json": "json",
    ".geojson": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
    ".xml": "xml",
    ".rss": "xml",
    ".atom": "xml",
}
_TYPES: dict[str, Format] = {
    "application/json": "json",
    "text/json": "json",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "text/x-ndjson": "ndjson",
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/xml": "xml",
    "text/xml": "xml",
}
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "packed by zstd; provide it plain, or packed by gzip or zip",
    b"BZh": "packed by bzip2; provide it plain, or packed by gzip or zip",
    b"\xfd7zXZ\0": "packed by xz; provide it plain, or packed by gzip or zip",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; provide it plain, or packed by gzip or zip",
    b"Rar!": "a RAR archive; provide it plain, or packed by gzip or zip",
    b"\xd0\xcf\x11\xe0": "an old or an encrypted Office file; save it as .xlsx without a password",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file; provide it as CSV or JSON",
    b"SQLite format 3\0": "an SQLite database; declare a source of kind sql",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_HEAD_BYTES = 65_536


def suffix_of(name: str) -> str:
    return "." + name.lower().rpartition(".")[2]


def refuse_foreign(head: bytes) -> None:
    """Raises Undecodable for well-known things that are no rows."""
    for start, what in _FOREIGN.items():
        if head.startswith(start):
            raise Undecodable(f"This is {what}.")


def format_of(content: Content, spec: Decode) -> Format:
    """Raises Undecodable where another format is plain to see, as in an error page instead of data."""
    head = content.stream.peek(1)[:_HEAD_BYTES]
    text = head.decode(marked_encoding(head) or known_encoding(spec.encoding or "utf-8"), errors="replace").lstrip()
    start = text[:200].lower()
    expected = _named_format(content) if spec.format == "auto" or spec.format == "xlsx" else spec.format
    if start.startswith(("<!doctype html", "<html")) and not spec.path.lower().startswith("html"):
        raise Undecodable(
            f"This looks like an HTML page, perhaps an error or a login: {' '.join(text[:200].split())!r}."
        )
    if expected == "xml" and not start.startswith("<") and start:
        raise Undecodable(f"This is no XML, it begins with {text[:40]!r}.")
    if expected not in (None, "xml") and start.startswith("<?xml"):
        raise Undecodable(f'This looks like XML, not like {expected}: set format to "xml".')
    if expected in ("json", None) and start.startswith(("{", "[")):
        return "ndjson" if spec.format == "auto" and _is_ndjson(text) else "json"
    if expected == "csv" and start.startswith(("{", "[")) and (_is_json(text) or _is_json(text.partition("\n")[0])):
        raise Undecodable(f"This looks like JSON, not like CSV: {text[:200]!r}.")
    return expected or _guess(start)


def _named_format(content: Content) -> Format | None:
    kind = content.content_type
    if kind.endswith(("+json", "+xml")):
        return "json" if kind.endswith("+json") else "xml"
    return _TYPES.get(kind) or SUFFIXES.get(suffix_of(content.name))


def _guess(start: str) -> Format:
    if not start:
        raise Undecodable("The body is empty.")
    return "xml" if start.startswith("<") else "csv"


def _is_ndjson(text: str) -> bool:
    """The second line may be cut off: the text is the beginning of something longer."""
    first, _, rest = text.partition("\n")
    second, end, _ = rest.lstrip().partition("\n")
    return _is_json(first) and bool(second) and (_is_json(second) or not end)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
