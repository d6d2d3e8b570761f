"""What the columns of JSON documents should be, worked out in plain Python; and what they are, by way of Parquet."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow

from datasets.engine.members import MOST_LEVELS, Member, Members
from datasets.engine.parts import Parts
from datasets.engine.table import connect, literal, quoted

MEMORY_BYTES = 300_000_000
NOTHING = object()
"""There is no such member, or an object."""

Documents = Sequence[Any]
FROM_64_BITS = range(-(1 << 63), 1 << 63)
OF_STRUCTURE = range(-(1 << 63), 1 << 64)


def columns(folder: Path, chunks: Sequence[Documents], most: int = 1000) -> tuple[dict[Member, list[Any]], Members]:
    """The values of each column, in the order of the documents."""
    members = Members("payload", most)
    with connect(MEMORY_BYTES, 2, folder) as connection:
        parts = Parts(connection, folder, "payload", members, 1 << 40)
        number = 0
        for documents in chunks:
            parts.add(_chunk(documents, number))
            number += len(documents)
        described = parts.finish()
        assert [one.name for one in described[1:]] == [one.name for one in members.columns if one.is_column]
        selected = ", ".join(f"CAST({quoted(one.name)} AS {one.type})" for one in described)
        files = literal(str(folder / "*.parquet"))
        rows = connection.execute(
            f"SELECT {selected} FROM read_parquet({files}, union_by_name=true) ORDER BY 1"
        ).fetchall()
    assert [row[0] for row in rows] == list(range(number))
    made = [member for member in members.columns if member.is_column]
    return {member: [row[place] for row in rows] for place, member in enumerate(made, 1)}, members


def _chunk(documents: Documents, number: int) -> pyarrow.Table:
    texts = pyarrow.array([json.dumps(document) for document in documents], pyarrow.utf8())
    typed = pyarrow.ExtensionArray.from_storage(pyarrow.json_(pyarrow.utf8()), texts)
    numbers = pyarrow.array(range(number, number + len(documents)), pyarrow.int64())
    return pyarrow.table({"number": numbers, "payload": typed})


def paths(documents: Documents) -> set[tuple[str, ...]]:
    """Those at which any document has something else than an object, be it null."""
    return {path for document in documents for path in _paths(document, ())}


def _paths(value: Any, path: tuple[str, ...]) -> set[tuple[str, ...]]:
    if isinstance(value, dict) and len(path) < MOST_LEVELS:
        return {inner for name, member in value.items() for inner in _paths(member, (*path, name))}
    return {path}


def at(document: Any, path: tuple[str, ...]) -> Any:
    value = document
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return NOTHING
        value = value[name]
    return NOTHING if isinstance(value, dict) and len(path) < MOST_LEVELS else value


def type_of(values: Sequence[Any]) -> str:
    """The type of a column of these values, none of which is null."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int} and all(value in OF_STRUCTURE for value in values):
        return "BIGINT" if all(value in FROM_64_BITS for value in values) else "HUGEINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"


def reads_as(found: Any, value: Any, type: str) -> bool:
    """Whether a column of this type shows the value so."""
    if value is NOTHING or value is None:
        return found is None
    if type == "DOUBLE":
        return bool(found == float(value))
    if type in ("BIGINT", "HUGEINT", "BOOLEAN"):
        return bool(found == value)
    if isinstance(value, str):
        return bool(found == value)
    return is_like(json.loads(found), value)


def is_like(found: Any, value: Any) -> bool:
    """Equal, where numbers may have lost what a float has no room for."""
    if isinstance(value, dict):
        return found.keys() == value.keys() and all(is_like(found[name], value[name]) for name in value)
    if isinstance(value, list):
        return len(found) == len(value) and all(is_like(*pair) for pair in zip(found, value, strict=True))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return not isinstance(found, bool | str) and found is not None and float(found) == float(value)
    return type(found) is type(value) and bool(found == value)
