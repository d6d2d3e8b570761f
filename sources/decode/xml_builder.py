"""Rows out of an XML parser's events, written as xmltodict writes them.

Attributes are members "-name", text beside attributes or elements is "#text", elements of one name that come again
become a list. An element with nothing in it is null; a row with nothing in it is an empty object.
"""

from collections.abc import Collection
from typing import Any

from sources.errors import Undecodable
from sources.rows import Row

MAX_DEPTH = 64
_SHOWN_NAMES = 20


class Builder:
    def __init__(self, names: list[str], force_list: Collection[str]) -> None:
        self._names = names
        self._force_list = frozenset(force_list)
        self._rows: list[Row] = []
        self._depth = 0
        self._matched = 0  # elements that are open and on the path
        self._deepest = 0
        self._has_others = False  # elements with members of their own where rows were looked for
        self._seen: list[dict[str, None]] = [{} for _ in names]  # names at each level of the path
        self._open: list[tuple[dict[str, Any], list[str]]] = []  # the row's elements around the current one
        self._members: dict[str, Any] = {}
        self._text: list[str] = []

    @property
    def is_inside_row(self) -> bool:
        return bool(self._open)

    def taken(self) -> list[Row]:
        """The rows since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Undecodable(f"The XML is nested more than {MAX_DEPTH} levels.")
        if self._open or self._is_row(name, bool(attributes)):
            self._open.append((self._members, self._text))
            self._members = {f"-{key}": value for key, value in attributes.items()} if attributes else {}
            self._text = []

    def characters(self, text: str) -> None:
        if self._open:
            self._text.append(text)

    def end(self, name: str) -> None:
        self._depth -= 1
        if self._open:
            self._close(name)
        self._matched = min(self._matched, self._depth)

    def check_path(self) -> None:
        """At the end of the document. Raises Undecodable where the path leads nowhere, though others lead on.

        Not where the last element alone is missing, beside plain values: a list with a count of 0 is empty.
        """
        if self._deepest == len(self._names) or not self._seen[self._deepest]:
            return
        if self._deepest == len(self._names) - 1 > 0 and not self._has_others:
            return
        missing, around = self._names[self._deepest], ".".join(self._names[: self._deepest])
        there = ", ".join(repr(name) for name in self._seen[self._deepest])
        place = f"in {around!r}" if around else "at the root"
        raise Undecodable(f"There is no element {missing!r} {place}, only {there}: see decode.path.")

    def _is_row(self, name: str, has_attributes: bool) -> bool:
        level = self._depth - 1
        if self._matched == len(self._names) - 1:
            self._has_others |= level > self._matched or (has_attributes and name != self._names[-1])
        if self._matched == level < len(self._names):
            seen = self._seen[level]
            if len(seen) < _SHOWN_NAMES:
                seen[name] = None
            if name == self._names[level]:
                self._matched += 1
                self._deepest = max(self._deepest, self._matched)
        return self._matched == self._depth == len(self._names) or not self._names

    def _close(self, name: str) -> None:
        members, text = self._members, "".join(self._text).strip()
        self._members, self._text = self._open.pop()
        value: Any = (members | {"#text": text} if members else text) if text else members or None
        if self._open or not self._names:
            self._add(name, value)
        if not self._open:
            row = value if self._names else self._members
            self._rows.append(row if isinstance(row, dict) else {"#text": text} if text else {})

    def _add(self, name: str, value: Any) -> None:
        members = self._members
        if name not in members:
            members[name] = [value] if name in self._force_list else value
        elif isinstance(members[name], list):
            members[name].append(value)
        else:
            members[name] = [members[name], value]
