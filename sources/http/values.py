"""A single value out of a JSON answer."""

import os
from typing import Any, BinaryIO

import ijson
import orjson

from sources.errors import Undecodable

MOST_PARSED_BYTES = 16 << 20
MOST_DEPTH = 1000
Scalar = str | int


def value_at(file: BinaryIO, path: str, where: str) -> Scalar | None:
    """The text or number at a dot-separated path, and None for nothing, null and "". Leaves the file at its start.

    Large answers are read through rather than loaded. Raises Undecodable.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        found = _loaded(file.read(), path) if size <= MOST_PARSED_BYTES else _streamed(file, path)
    except (orjson.JSONDecodeError, ijson.JSONError, UnicodeDecodeError) as error:
        raise Undecodable(f"The answer of {where} is not JSON, so {path} cannot be read: {error}.") from None
    finally:
        file.seek(0)
    return _scalar(found, path, where)


def _loaded(body: bytes, path: str) -> Any:
    found = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _streamed(file: BinaryIO, path: str) -> Any:
    """Containers count as found but are not built: they are no value."""
    names = path.split(".")
    depth = inside = 0  # open containers; those of them that lead to the value
    wanted = False
    for event, value in ijson.basic_parse(file, buf_size=1 << 20):
        if event == "map_key":
            wanted = depth == inside + 1 and value == names[inside]
        elif event in ("end_map", "end_array"):
            depth -= 1
            inside = max(0, min(inside, depth - 1))
        else:
            opens = event in ("start_map", "start_array")
            if wanted and inside == len(names) - 1:
                return {} if opens else value
            inside += wanted and event == "start_map"
            depth += opens
            wanted = False
            if depth > MOST_DEPTH:
                raise ijson.JSONError(f"it is nested deeper than {MOST_DEPTH} levels")
    return None


def _scalar(found: Any, path: str, where: str) -> Scalar | None:
    if found is None or found == "":
        return None
    if isinstance(found, bool | dict | list):
        raise Undecodable(f"{path} in the answer of {where} is neither a text nor a number: check its path.")
    return found if isinstance(found, str | int) else str(found)
