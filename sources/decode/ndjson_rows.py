"""Lines of JSON into rows."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson

from sources.decode import json_values
from sources.decode.content import Content
from sources.decode.encoding import utf8, with_bounded_lines
from sources.decode.json_path import at_path, checked
from sources.definition import Decode
from sources.errors import Undecodable
from sources.rows import Item, Rejected

MAX_LINE_BYTES = 16_777_216
_MALFORMED_LINES = 100


def decode_ndjson(content: Content, spec: Decode) -> Iterator[Item]:
    """A row for each line, or where `path` is said those that stand there in it; blank lines are passed over.

    A malformed line is Rejected. Undecodable if none of the first hundred is JSON; LimitExceeded for a line of more
    than 16 MiB.
    """
    items = _items(content, spec)
    first: list[Item] = []
    for item in items:
        first.append(item)
        if not (isinstance(item, Rejected) and item.code == "malformed_json"):
            break
        if len(first) == _MALFORMED_LINES:
            raise _no_json(first[0])
    else:
        if first:
            raise _no_json(first[0])
    yield from chain(first, items)


def _items(content: Content, spec: Decode) -> Iterator[Item]:
    names = spec.path.split(".") if spec.path else []
    loads, is_exact, loads_exactly = orjson.loads, json_values.is_exact_for_orjson, json_values.decoder.decode
    for number, line in enumerate(with_bounded_lines(utf8(content, spec), MAX_LINE_BYTES), 1):
        is_plain = is_exact(line)
        try:
            value = loads(line) if is_plain else loads_exactly(line.decode())
        except (ValueError, RecursionError):
            if line.strip():
                yield from _with_care(line, number, names)
            continue
        is_deep = line.count(b"{") + line.count(b"[") > json_values.MAX_DEPTH
        if names or type(value) is not dict or is_deep or (b"\\u" in line and not is_plain):
            yield from _with_care(line, number, names)
        else:
            yield value


def _with_care(line: bytes, number: int, names: list[str]) -> Iterator[Item]:
    where = f"line {number:,}"
    try:
        values: list[Any] = [json_values.loads(line)]
        if names:
            values = at_path(values[0], names)
    except Undecodable as error:
        yield Rejected("decode", "no_such_path", f"{where}: {error}", _shown(line))
    except RecursionError:
        yield Rejected("decode", "too_deep", f"{where}: nested far too deeply", _shown(line))
    except ValueError as error:
        yield Rejected("decode", "malformed_json", f"{where}: {error}", _shown(line))
    else:
        for value in values:
            yield checked(value, where, True, json_values.may_have_lone_surrogate(line))


def _shown(line: bytes) -> str:
    return line[:800].decode(errors="replace")[:200].replace("\0", "?")


def _no_json(item: Item) -> Undecodable:
    detail = item.detail if isinstance(item, Rejected) else ""
    return Undecodable(f"No line is JSON; {detail}.")
