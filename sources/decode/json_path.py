"""Where the rows are in a JSON document, and whether they are rows."""

from typing import Any

from sources.decode import json_values
from sources.errors import Undecodable
from sources.rows import Item, Rejected


def checked(value: Any, where: str, may_be_deep: bool, may_have_lone_surrogate: bool) -> Item:
    """The value as a row, or why it is none."""
    if type(value) is not dict:
        return Rejected("decode", "not_an_object", f"{where}: {kind_of(value)}, not an object", value)
    if may_be_deep and json_values.is_too_deep(value):
        return Rejected("decode", "too_deep", f"{where}: nested more than {json_values.MAX_DEPTH} levels", None)
    if may_have_lone_surrogate and json_values.has_lone_surrogate(value):
        return Rejected("decode", "lone_surrogate", f"{where}: has half of a surrogate pair (\\ud800…\\udfff)", None)
    return value


def at_path(value: Any, names: list[str]) -> list[Any]:
    """The rows where the path leads. Raises Undecodable, which says what is there instead."""
    for depth, name in enumerate(names):
        if not isinstance(value, dict):
            raise no_object(names[:depth], kind_of(value))
        if name not in value:
            raise no_member(names[:depth], name, list(value))
        value = value[name]
    if isinstance(value, list):
        return value
    if value is None:
        return []
    if not isinstance(value, dict):
        raise Undecodable(f"{place(names)} is {kind_of(value)}, neither a list nor an object: see decode.path.")
    return [value]


def kind_of(value: object) -> str:
    if value is None:
        return "null"
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean"}
    return kinds.get(type(value), "a number")


def place(names: list[str]) -> str:
    return repr(".".join(names)) if names else "The whole document"


def no_object(names: list[str], kind: str) -> Undecodable:
    return Undecodable(f"{place(names)} is {kind}, so decode.path cannot lead into it.")


def no_member(names: list[str], name: str, existing: list[str]) -> Undecodable:
    members = ", ".join(repr(member) for member in existing[:20]) or "none"
    return Undecodable(f"There is no {name!r} in {place(names)}: its members are {members}. See decode.path.")
