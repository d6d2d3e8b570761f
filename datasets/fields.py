"""The parameters of a kind of analysis as fields of a form, made from their JSON Schema and a dataset's columns.

A member named `metric` or `metrics` is chosen from the columns of numbers, `time_column` from those of times, `column`,
`columns` and others that end so from all; `other` from the datasets; `sql` gets a large field. Times are UTC, as the
page says, and an object of nothing but times, such as a window, is a field for each.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from datasets.kinds.profiling.field import NUMBER, TIME, kind_of

FIRST = ("other", "metric", "metrics", "sql")
"""What an analysis is about is asked first."""
MOST_OFFERED = 200
"""Of columns; others are named by the API."""
CONTROLS = {
    "boolean": "checkbox",
    "integer": "number",
    "number": "number",
    "string": "text",
    "time": "time",
    "times": "times",
}
Columns = Sequence[Mapping[str, str]]
Choices = list[tuple[str, str]]


class Field(NamedTuple):
    """`control`: select, several, number, text, area, checkbox, time, times or json.

    `type`: what JSON has in its place; `members`: name and label of each in an object of times.
    """

    name: str
    label: str
    control: str
    type: str
    is_required: bool
    default: Any
    help: str
    choices: Choices
    low: float | None = None
    high: float | None = None
    members: Choices = []


class Form(NamedTuple):
    """`about`: what the docstrings of the parameters say of them."""

    about: str
    fields: list[Field]


def form(parameters: type[Struct], columns: Columns, datasets: Choices) -> Form:
    """`datasets`: id and name of those that may be compared with."""
    (schema,), definitions = msgspec.json.schema_components([parameters], ref_template="{name}")
    whole = definitions[schema["$ref"]]
    needed = whole.get("required", [])
    made = [
        _field(name, _plain(member, definitions), name in needed, columns, datasets)
        for name, member in whole["properties"].items()
    ]
    return Form(_about(parameters), sorted(made, key=lambda field: field.name not in FIRST))


def _about(parameters: type[Struct]) -> str:
    """Their docstrings, those of what they are derived from first."""
    kinds = [kind for kind in reversed(parameters.__mro__) if issubclass(kind, Struct) and kind is not Struct]
    return " ".join(" ".join(kind.__dict__.get("__doc__") or "" for kind in kinds).replace("`", "").split())


def _plain(member: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Without the alternative null, and with what it refers to in its place."""
    others = [one for one in member.get("anyOf", []) if one.get("type") != "null"]
    found = {**member, **others[0]} if len(others) == 1 else dict(member)
    return {**definitions[found["$ref"]], **found} if "$ref" in found else found


def _field(name: str, member: Mapping[str, Any], is_required: bool, columns: Columns, datasets: Choices) -> Field:
    type = _type(member)
    choices = _choices(name, member, columns, datasets)
    return Field(
        name=name,
        label=_label(name),
        control=_control(name, type, choices),
        type="json" if type == "array" and choices is None else type,
        is_required=is_required,
        default=member.get("default"),
        help=str(member.get("description", "")),
        choices=choices or [],
        low=member.get("minimum"),
        high=member.get("maximum"),
        members=[(part, _label(part)) for part in member["properties"]] if type == "times" else [],
    )


def _type(member: Mapping[str, Any]) -> str:
    if "enum" in member:
        return "string"
    if member.get("format") == "date-time":
        return "time"
    if member.get("type") == "object":
        parts = member.get("properties", {}).values()
        return "times" if parts and all(_is_time(part) for part in parts) else "json"
    return str(member.get("type", "json"))


def _is_time(member: Mapping[str, Any]) -> bool:
    return any(one.get("format") == "date-time" for one in member.get("anyOf", [member]))


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _choices(name: str, member: Mapping[str, Any], columns: Columns, datasets: Choices) -> Choices | None:
    """None where anything may be written."""
    if "enum" in member:
        return [(str(one), str(one)) for one in member["enum"]]
    if name == "other":
        return datasets
    if name in ("metric", "metrics"):
        return _named(columns, NUMBER)
    if name == "time_column":
        return _named(columns, TIME)
    return _named(columns) if name.endswith(("column", "columns")) else None


def _named(columns: Columns, kind: str = "") -> Choices:
    """Those of the kind, or all."""
    names = [one["name"] for one in columns if kind in ("", kind_of(one["type"]))]
    return [(name, name) for name in names[:MOST_OFFERED]]


def _control(name: str, type: str, choices: Choices | None) -> str:
    if choices is not None:
        return "several" if type == "array" else "select"
    if name == "sql":
        return "area"
    return CONTROLS.get(type, "json")
