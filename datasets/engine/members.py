"""Which members JSON texts have, and of which kinds their values are: what columns a table of them has.

A column stands for a path of names. Its values are the numbers, texts, booleans and lists at that path; where an object
stands, it is null, and the object's members have columns of their own. So it does not matter for a value's column what
stands at its path in other texts, but its type does: that of all of them together.

Objects below MOST_LEVELS, and such that have more than MOST_NAMES names when they first appear (ids as names, mostly),
are not taken apart: they are JSON texts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

MOST_LEVELS = 8
MOST_NAMES = 200
MOST_COUNTED = 10_000
PLACES_A_COLUMN = 20

LIST, OBJECT = "LIST", "OBJECT"
NOTHING = {"NULL", "JSON"}
"""What json_structure calls null, and an object without members."""
INTEGERS = {"UBIGINT", "BIGINT"}
NUMBERS = {*INTEGERS, "DOUBLE"}


@dataclass(slots=True, eq=False)
class Member:
    """`kinds`: what DuckDB's json_structure calls the values at this path that are no objects; LIST; OBJECT for one
    that is not taken apart. `name` of its column, when it has one. `is_large`: its integers need more than 64 bits.
    """

    path: tuple[str, ...]
    kinds: set[str] = field(default_factory=set)
    members: dict[str, "Member"] = field(default_factory=dict)
    is_whole: bool = False
    is_old: bool = False
    name: str = ""
    is_large: bool = False
    has_infinite: bool = False

    @property
    def is_column(self) -> bool:
        """Also of nothing but nulls, where nothing tells of members."""
        return bool(self.kinds - NOTHING) or bool(self.kinds and self.path and not self.members)

    @property
    def type(self) -> str:
        kinds = self.kinds - NOTHING
        if kinds and kinds <= INTEGERS:
            return "HUGEINT" if self.is_large else "BIGINT"
        if kinds and kinds <= NUMBERS:
            return "DOUBLE"
        return "BOOLEAN" if kinds == {"BOOLEAN"} else "VARCHAR"

    def walk(self) -> Iterator["Member"]:
        yield self
        for member in self.members.values():
            yield from member.walk()


class Members:
    """Those of all texts so far. `prefix` begins the name of each column; what is no object has it alone."""

    def __init__(self, prefix: str, most_columns: int) -> None:
        self.root = Member(())
        self.columns: list[Member] = []
        self._prefix = prefix
        self._most = most_columns
        self._places = 0
        self._names: set[str] = set()
        self._left_out: dict[tuple[str, ...], None] = {}

    def add(self, structures: Iterable[str]) -> None:
        """What json_structure says of some texts."""
        for structure in structures:
            self._merge(self.root, msgspec.json.decode(structure))

    def name_columns(self, taken: Iterable[str] = ()) -> None:
        """Give those that are new a name, which is not one of `taken`; what is over the limit is left out."""
        self._names.update(name.casefold() for name in taken)
        for member in self.root.walk():
            member.is_old = True
            if member.is_column and not member.name and member.path not in self._left_out:
                if len(self.columns) < self._most:
                    member.name = self._name(member.path)
                    self.columns.append(member)
                else:
                    self._leave_out(member.path)

    def notes(self) -> list[str]:
        """What is not in the columns, in sentences."""
        whole = [self._title(one.path) for one in self.root.walk() if one.is_whole]
        infinite = [one.name for one in self.columns if one.has_infinite]
        return [
            *([f"{_some(whole)}: objects of more than {MOST_NAMES} names, left as JSON."] if whole else []),
            *self._about_left_out(),
            *([f"{_some(infinite)}: numbers beyond 1.8e308 are left empty."] if infinite else []),
        ]

    def _about_left_out(self) -> list[str]:
        if not self._left_out:
            return []
        count = f"{len(self._left_out):,}" if len(self._left_out) < MOST_COUNTED else f"{MOST_COUNTED:,} or more"
        first = [self._title(path) for path in list(self._left_out)[:5]]
        return [f"{count} members have no column, as there are at most {self._most:,}, such as {', '.join(first)}."]

    def _merge(self, member: Member, structure: Any) -> None:
        if isinstance(structure, str):
            member.kinds.add(structure)
        elif isinstance(structure, list):
            member.kinds.add(LIST)
        elif member.is_whole or len(member.path) == MOST_LEVELS:
            member.kinds.add(OBJECT)
        else:
            self._merge_members(member, structure)

    def _merge_members(self, member: Member, structure: dict[str, Any]) -> None:
        for name, inner in structure.items():
            found = member.members.get(name) or self._new(member, name)
            if found is not None:
                self._merge(found, inner)
        if member.is_whole:
            member.kinds.add(OBJECT)

    def _new(self, parent: Member, name: str) -> Member | None:
        path = (*parent.path, name)
        if parent.is_whole:
            return None
        if len(parent.members) >= MOST_NAMES and parent.path:
            if parent.is_old:
                self._leave_out(path)
            else:
                self._keep_whole(parent)
            return None
        if self._places >= PLACES_A_COLUMN * self._most:
            self._leave_out(path)
            return None
        self._places += 1
        parent.members[name] = made = Member(path)
        return made

    def _keep_whole(self, member: Member) -> None:
        self._places -= sum(1 for _ in member.walk()) - 1
        member.members.clear()
        member.is_whole = True

    def _leave_out(self, path: tuple[str, ...]) -> None:
        if len(self._left_out) < MOST_COUNTED:
            self._left_out[path] = None

    def _name(self, path: tuple[str, ...]) -> str:
        """DuckDB tells no names apart by case."""
        title = name = self._title(path)
        number = 1
        while name.casefold() in self._names:
            number += 1
            name = f"{title} ({number})"
        self._names.add(name.casefold())
        return name

    def _title(self, path: tuple[str, ...]) -> str:
        return ".".join((self._prefix, *path) if self._prefix else path) or "(empty)"


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
