"""One JSON document into rows: those of up to 16 MiB at once, larger ones element by element."""

from collections.abc import Iterator
from typing import Any

from sources.decode import json_values
from sources.decode.content import Content
from sources.decode.encoding import misfit, utf8
from sources.decode.json_path import at_path, checked
from sources.decode.json_stream import JsonStream
from sources.definition import Decode
from sources.errors import Undecodable
from sources.rows import Item

WHOLE_BYTES = 16_777_216


def decode_json(content: Content, spec: Decode) -> Iterator[Item]:
    """The elements of the list at `path`, or the object there; null is no rows. Elements that are no objects, or are
    nested more than 64 levels, are Rejected. What is not JSON from end to end is Undecodable: at the first row if the
    document is small, where the reading meets it if it is large."""
    names = spec.path.split(".") if spec.path else []
    stream = utf8(content, spec)
    start = stream.read(WHOLE_BYTES + 1)
    if len(start) <= WHOLE_BYTES:
        yield from _rows_of(start, names)
    else:
        for number, (value, deep, lone) in enumerate(JsonStream(start, stream).elements(names), 1):
            yield checked(value, f"row {number:,}", deep, lone)


def _rows_of(text: bytes, names: list[str]) -> Iterator[Item]:
    values = at_path(_load(text), names)
    deep, lone = json_values.may_be_deep(text), json_values.may_have_lone_surrogate(text)
    if deep or lone:
        yield from (checked(value, f"row {number:,}", deep, lone) for number, value in enumerate(values, 1))
        return
    for number, value in enumerate(values, 1):
        yield value if type(value) is dict else checked(value, f"row {number:,}", False, False)


def _load(text: bytes) -> Any:
    if not text.strip():
        raise Undecodable("The body is empty.")
    try:
        return json_values.loads(text)
    except UnicodeDecodeError as error:
        raise misfit(error, "utf-8") from None
    except RecursionError:
        raise Undecodable("The JSON is nested far too deeply.") from None
    except ValueError as error:
        raise Undecodable(f"The JSON is broken or cut off: {error}.") from None
