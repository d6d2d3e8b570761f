"""XML into rows: expat reads the document piece by piece, so memory does not grow with it."""

import re
from collections.abc import Iterator
from io import BufferedReader
from typing import NoReturn
from xml.parsers import expat

import msgspec

from sources.decode.content import Content
from sources.decode.encoding import utf8
from sources.decode.marks import marked_encoding
from sources.decode.xml_builder import Builder
from sources.definition import Decode
from sources.errors import LimitExceeded, Undecodable
from sources.rows import Item

MAX_ROW_BYTES = 16_777_216
MAX_TAG_BYTES = 1_048_576
MAX_NAMES = 100_000
_CHUNK_BYTES = 65_536
_declaration = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([\w.:-]+)")
_read_by_expat = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")


def decode_xml(content: Content, spec: Decode) -> Iterator[Item]:
    """A row for each element at `path`: names as written, from the root down. No path: the document is the one row.

    Undecodable: not well-formed, a document type with declarations of its own (entities), entities that are not XML's,
    more than 64 levels, or nothing at the path though more than plain values is beside it. LimitExceeded: a row of more
    than 16 MiB, a tag or comment of more than 1 MiB, more than 100,000 different names.
    """
    stream, encoding = _source(content, spec)
    parser = expat.ParserCreate(encoding)
    builder = Builder(spec.path.split(".") if spec.path else [], spec.force_list)
    _connect(parser, builder)
    fed_bytes = row_starts = 0
    while data := stream.read(_CHUNK_BYTES):
        _parse(parser, data)
        fed_bytes += len(data)
        yield from builder.taken()
        if not builder.is_inside_row:
            row_starts = fed_bytes
        _check_memory(parser, fed_bytes, row_starts)
    _parse(parser, b"")
    yield from builder.taken()
    builder.check_path()


def _source(content: Content, spec: Decode) -> tuple[BufferedReader, str | None]:
    """The stream, and its encoding where the document is not to say that.

    It goes, in this order, by the configured encoding, the byte order mark, the XML declaration, the content type.
    """
    head = content.stream.peek(1)[:1024]
    encoding = spec.encoding
    if not encoding and not marked_encoding(head):
        declared = _declaration.match(head.lstrip())
        name = declared[1].decode().lower() if declared else content.charset
        encoding = "" if name in _read_by_expat and declared else name
    if not encoding:
        return content.stream, None
    return utf8(content, msgspec.structs.replace(spec, encoding=encoding)), "utf-8"


def _connect(parser: expat.XMLParserType, builder: Builder) -> None:
    parser.buffer_text = True
    parser.buffer_size = _CHUNK_BYTES
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = _doctype
    parser.SkippedEntityHandler = _skipped_entity


def _parse(parser: expat.XMLParserType, data: bytes) -> None:
    try:
        parser.Parse(data, not data)
    except expat.ExpatError as error:
        what = "cut off" if not data else "not well-formed"
        message = expat.errors.messages.get(error.code, "unknown")
        raise Undecodable(f"The XML is {what} at line {error.lineno:,}, column {error.offset:,}: {message}.") from None


def _check_memory(parser: expat.XMLParserType, fed_bytes: int, row_starts: int) -> None:
    if fed_bytes - max(parser.CurrentByteIndex, 0) > MAX_TAG_BYTES:
        raise LimitExceeded(f"A tag or comment before byte {fed_bytes:,} is longer than {MAX_TAG_BYTES:,} bytes.")
    if fed_bytes - row_starts > MAX_ROW_BYTES:
        raise LimitExceeded(
            f"A row before byte {fed_bytes:,} is longer than {MAX_ROW_BYTES:,} bytes: name the element that repeats in"
            " decode.path."
        )
    if len(parser.intern) > MAX_NAMES:
        raise LimitExceeded(f"There are more than {MAX_NAMES:,} different names of elements and attributes.")


def _doctype(name: str, system_id: str | None, public_id: str | None, has_internal_subset: bool) -> None:
    if has_internal_subset:
        raise Undecodable(f"The document type {name!r} has declarations of its own (entities), which are not followed.")


def _skipped_entity(name: str, is_parameter: bool) -> NoReturn:
    raise Undecodable(f"The entity &{name}; is not one of XML's own, and document types are not followed.")
