"""SQL that makes columns of JSON texts, for DuckDB.

Nearly all values come out of one `json_transform`, which reads a text once. What it cannot do – names that are empty,
or differ from their neighbour's in case alone; values at whose path other texts have objects – is asked by JSON
pointer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from datasets.engine.members import NOTHING, OBJECT, Member, Members
from datasets.engine.table import literal, quoted

MADE = "members_of_text"
STORED = {"HUGEINT": "DECIMAL(38,0)"}
"""What Parquet has no type for, as what it is stored."""
NO_COLUMN = "NULL::BOOLEAN AS nothing"
BEYOND = "a number beyond its type"


@dataclass(frozen=True)
class Conversion:
    """`structure` for json_transform, and for each column the SQL of its value as it was read."""

    structure: dict[str, Any]
    values: dict[Member, str]


def conversion(members: Members, text: str) -> Conversion:
    """Of the texts in the column `text`."""
    structure: dict[str, Any] = {}
    values = dict(_values(members.root, MADE, structure, quoted(text)))
    return Conversion(structure, {member: values[member] for member in members.columns})


def select(made: Conversion, fixed: list[str], text: str, table: str) -> str:
    """The fixed columns, then those of members. Fails with BEYOND for numbers that must be looked at: see `beyond`."""
    named = [f"{_finished(value, member)} AS {quoted(member.name)}" for member, value in made.values.items()]
    columns = ", ".join([*map(quoted, fixed), *named]) or NO_COLUMN
    return f"SELECT {columns} FROM {_source(made, text, table)}"


def beyond(made: Conversion, text: str, table: str) -> tuple[list[Member], str]:
    """SQL of one row that says of each of these members whether any number is beyond BIGINT, or DOUBLE."""
    asked = [member for member in made.values if member.type in ("BIGINT", "DOUBLE")]
    columns = ", ".join(_beyond(made.values[member], member) for member in asked)
    return asked, f"SELECT {columns} FROM {_source(made, text, table)}"


def _source(made: Conversion, text: str, table: str) -> str:
    if not made.structure:
        return table
    structure = literal(msgspec.json.encode(made.structure).decode())
    return f"(SELECT *, json_transform({quoted(text)}, {structure}) AS {MADE} FROM {table})"


def _values(member: Member, place: str, structure: dict[str, Any], text: str) -> Iterator[tuple[Member, str]]:
    """`place`: SQL of the structure that json_transform makes of the member; "" where it makes none."""
    if member.name and (not place or member.members or not member.path or _is_mixed(member)):
        yield member, _pointed(member, text)
    elif member.name:
        yield member, place
    seen: set[str] = set()
    for name, inner in member.members.items():
        lower = name.lower()
        inside = f"struct_extract({place}, {literal(name)})" if place and name and lower not in seen else ""
        seen.add(lower)
        below: dict[str, Any] = {}
        yield from _values(inner, inside, below, text)
        if inside and (below or (inner.name and not inner.members)):
            structure[name] = below or _read_as(inner)


def _is_mixed(member: Member) -> bool:
    """Whether it is text here and an object elsewhere, which json_transform would make a text of, too."""
    return member.type == "VARCHAR" and "JSON" in member.kinds and OBJECT not in member.kinds


def _read_as(member: Member) -> str:
    """Integers as the type that has room for all, so that none is lost unseen."""
    return "HUGEINT" if member.type == "BIGINT" else member.type


def _pointed(member: Member, text: str) -> str:
    pointer = literal("".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in member.path))
    value = f"json_extract_string({text}, {pointer})"
    if member.type != "VARCHAR":
        return f"TRY_CAST({value} AS {_read_as(member)})"
    if OBJECT in member.kinds:
        return value
    return f"CASE json_type({text}, {pointer}) WHEN 'OBJECT' THEN NULL ELSE {value} END"


def _finished(value: str, member: Member) -> str:
    if not member.kinds - NOTHING:
        return "NULL::VARCHAR"
    if member.type == "DOUBLE":
        instead = "NULL" if member.has_infinite else f"error({literal(BEYOND)})"
        return f"CASE WHEN isinf({value}) THEN {instead} ELSE {value} END"
    if member.type in ("BIGINT", "HUGEINT"):
        return f"CAST({value} AS {STORED.get(member.type, member.type)})"
    return value


def _beyond(value: str, member: Member) -> str:
    if member.type == "DOUBLE":
        return f"coalesce(bool_or(isinf({value})), false)"
    return f"coalesce(bool_or({value} NOT BETWEEN -{1 << 63} AND {(1 << 63) - 1}), false)"
