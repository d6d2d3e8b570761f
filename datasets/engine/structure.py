"""Columns `payload.device`, `payload.place.room`, … as one structure, so that SQL may say `payload.place.room`.

Only what a statement names is put into it: DuckDB reads all columns that are packed into a structure, even when a
single member is taken out again (measured with 61 columns: 250 ms instead of 6).
"""

from collections.abc import Iterable, Sequence
from typing import Union

from datasets.engine.statement import Statement
from datasets.engine.table import quoted

ROOTS = {"events": "payload", "records": "value"}
"""The structure's name, by the kind of dataset."""


Members = dict[str, tuple[str, Union[str, "Members"]]]
"""By their names in lower case, which DuckDB does not tell from others: the name, and a column or members."""


def packed(columns: Sequence[str], root: str, statement: Statement) -> str:
    """SQL of the structure with the members that the statement needs, or "" for none.

    A path that is both a value and has members (`payload.a` and `payload.a.b`) keeps the value, and its members stand
    beside it under names with dots: `payload."a.b"`. So do those with an empty name on their way.
    """
    wanted = _wanted(root, statement)
    if root in columns or wanted == set():
        return ""
    members: Members = {}
    paths = {column: _path(column.removeprefix(f"{root}.")) for column in columns if column.startswith(f"{root}.")}
    for column, path in sorted(paths.items(), key=lambda item: len(item[1])):
        if path != [""] and (wanted is None or _first(path) in wanted):
            _put(members, path, column)
    return _sql(members) if members else ""


def is_named(root: str, statement: Statement) -> bool:
    """Whether the statement asks for the structure as a whole. If not, it is not part of what `*` shows."""
    return _wanted(root, statement) is None


def _wanted(root: str, statement: Statement) -> set[str] | None:
    """The first names below the root that are asked for; None: all."""
    wanted: set[str] = set()
    for reference in statement.references:
        names = [name.lower() for name in reference]
        if root in names:
            below = names[names.index(root) + 1 :]
            if not below:
                return None
            wanted.add(_first(below))
    return wanted


def _first(path: Sequence[str]) -> str:
    return path[0].split(".")[0].lower()


def _path(name: str) -> list[str]:
    path = name.split(".")
    return path if all(path) else [name]


def _put(members: Members, path: list[str], column: str) -> None:
    """Below as many names as no value stands at. A name that differs from another by case alone is left out."""
    for level in range(len(path) - 1, -1, -1):
        place = _place(members, path[:level])
        if place is not None:
            name = ".".join(path[level:])
            place.setdefault(name.lower(), (name, column))
            return


def _place(members: Members, path: Iterable[str]) -> Members | None:
    for name in path:
        _, below = members.setdefault(name.lower(), (name, {}))
        if isinstance(below, str):
            return None
        members = below
    return members


def _sql(members: Members) -> str:
    packed = (f"{quoted(name)} := {quoted(it) if isinstance(it, str) else _sql(it)}" for name, it in members.values())
    return f"struct_pack({', '.join(packed)})"
