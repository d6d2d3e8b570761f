"""Which members JSON texts have, and of which kinds their values are: what columns a table of them has.

A column stands for a path of names. Its values are the numbers, texts, booleans and lists at that path; where an object
stands, it is null, and the object's members have columns of their own. So it does not matter for a value's column what
stands at its path in other texts, but its type does: that of all of them together.

Objects below MOST_LEVELS are JSON texts, and so are those with more than MANY names of which the further ones are rare
when they first appear: mostly, ids are the names. Where there are MANY columns, a member that is rare gets none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

MOST_LEVELS = 8
MANY = 200
RARE = 0.01
"""Of the texts, or objects, in which a member could be."""
MOST_COUNTED = 10_000
PLACES_A_COLUMN = 20

LIST, OBJECT = "LIST", "OBJECT"
NOTHING = {"NULL", "JSON"}
"""What json_structure calls null, and an object without members."""
INTEGERS = {"UBIGINT", "BIGINT"}
BOTH_SIGNS = "HUGEINT"
"""What json_structure calls both kinds of integers in one array."""
NUMBERS = {*INTEGERS, "DOUBLE"}


@dataclass(slots=True, eq=False)
class Member:
    """`kinds`: what DuckDB's json_structure calls the values at this path that are no objects; LIST; OBJECT for one
    that is not taken apart, as `is_whole` says. `texts`: that have it, among those that told something new. `is_old`:
    its members' columns have names already. `name` of its column, when it has one. `is_large`: integers need more than
    64 bits.
    """

    path: tuple[str, ...]
    kinds: set[str] = field(default_factory=set)
    members: dict[str, "Member"] = field(default_factory=dict)
    texts: int = 0
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

    def has_ids_as_names(self) -> bool:
        if len(self.members) <= MANY or not self.path:
            return False
        often = sorted((member.texts for member in self.members.values()), reverse=True)
        return often[MANY] < RARE * self.texts


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

    def add(self, structures: Iterable[tuple[str, int]]) -> None:
        """What json_structure says of so many texts each."""
        for structure, texts in structures:
            self._merge(self.root, msgspec.json.decode(structure), texts)

    def knows(self, structure: Any) -> bool:
        """Whether no text of an array whose elements have that structure tells anything new."""
        return self._knows(self.root, structure)

    def name_columns(self, texts: int, taken: Iterable[str] = ()) -> None:
        """Give those that are new among so many texts names that are not `taken`; what is too much is left out."""
        self._names.update(name.casefold() for name in taken)
        self._keep_whole()
        new = [one for one in self.root.walk() if one.is_column and not one.name and one.path not in self._left_out]
        if len(self.columns) + len(new) > MANY:
            new.sort(key=lambda member: -member.texts)
        for member in new:
            most = self._most if member.texts >= RARE * texts else min(MANY, self._most)
            if len(self.columns) < most:
                member.name = self._name(member.path)
                self.columns.append(member)
            else:
                self._leave_out(member.path)

    def notes(self) -> list[str]:
        """What is not in the columns, in sentences."""
        whole = [self._title(one.path) for one in self.root.walk() if one.is_whole]
        infinite = [one.name for one in self.columns if one.has_infinite]
        return [
            *([f"{_some(whole)}: objects with too many names, left as JSON."] if whole else []),
            *self._about_left_out(),
            *([f"{_some(infinite)}: numbers beyond 1.8e308 are left empty."] if infinite else []),
        ]

    def _about_left_out(self) -> list[str]:
        if not self._left_out:
            return []
        count = f"{len(self._left_out):,}" if len(self._left_out) < MOST_COUNTED else f"{MOST_COUNTED:,} or more"
        first = [self._title(path) for path in list(self._left_out)[:5]]
        reason = f"there are at most {self._most:,}, and {MANY} with rare ones"
        return [f"{count} members have no column, as {reason}: {', '.join(first)}…"]

    def _merge(self, member: Member, structure: Any, texts: int) -> None:
        member.texts += texts
        if not isinstance(structure, dict):
            member.kinds.add(_kind(structure))
        elif member.is_whole or len(member.path) == MOST_LEVELS:
            member.kinds.add(OBJECT)
        else:
            for name, inner in structure.items():
                found = member.members.get(name) or self._new(member, name)
                if found is not None:
                    self._merge(found, inner, texts)

    def _knows(self, member: Member, structure: Any) -> bool:
        if not isinstance(structure, dict):
            kind = _kind(structure)
            return kind in member.kinds or (kind == BOTH_SIGNS and member.kinds >= INTEGERS)
        if member.is_whole or len(member.path) == MOST_LEVELS:
            return OBJECT in member.kinds
        return all(
            name in member.members and self._knows(member.members[name], inner) for name, inner in structure.items()
        )

    def _new(self, parent: Member, name: str) -> Member | None:
        path = (*parent.path, name)
        if self._places >= PLACES_A_COLUMN * self._most:
            self._leave_out(path)
            return None
        self._places += 1
        parent.members[name] = made = Member(path)
        return made

    def _keep_whole(self) -> None:
        """The new objects that have ids as names."""
        for member in list(self.root.walk()):
            if not member.is_old and member.has_ids_as_names():
                member.members.clear()
                member.kinds.add(OBJECT)
                member.is_whole = True
                length = len(member.path)
                self._left_out = {path: None for path in self._left_out if path[:length] != member.path}
            member.is_old = True
        self._places = sum(1 for _ in self.root.walk())

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


def _kind(structure: Any) -> str:
    """Of what is no object."""
    return LIST if isinstance(structure, list) else str(structure)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
