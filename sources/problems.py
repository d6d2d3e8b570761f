"""What is wrong with a document, in words, by the places in it: read off the errors of a JSON Schema."""

import json
from collections.abc import Iterator
from functools import reduce
from typing import Any, NamedTuple

import jsonschema_rs

MOST_SHOWN_CHARACTERS = 40
PATTERNS = {
    "^https?://": " that begins with http:// or https://",
    "^[A-Za-z0-9][A-Za-z0-9._-]*$": " that has letters, digits, '.', '_' and '-' alone, the first a letter or digit",
}
TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
RANGES = {
    ("minLength", "maxLength"): " of {0} to {1} characters",
    ("maxLength",): " of at most {0} character(s)",
    ("minimum", "maximum"): " from {0} to {1}",
    ("minimum",): " of at least {0}",
    ("exclusiveMinimum",): " greater than {0}",
    ("minItems",): " of at least {0} element(s)",
}
Schema = dict[str, Any]
Path = list[str | int]


class Problem(NamedTuple):
    """`pointer`: a JSON Pointer (RFC 6901) into the document, to what is wrong, missing or too much."""

    pointer: str
    message: str


class Checker:
    """Of alternatives, it goes by the one that was meant: its `kind` says so, or its type."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._validator = jsonschema_rs.validator_for(schema)

    def problems(self, document: object) -> Iterator[Problem]:
        for error in self._validator.iter_errors(document):
            yield from self._problems(error)

    def _problems(self, error: Any) -> Iterator[Problem]:
        here, name, value = error.instance_path, error.kind.name, error.kind.value
        if name == "anyOf":
            yield from self._of_alternatives(error)
        elif name == "required":
            yield Problem(_pointer([*here, value]), "is missing.")
        elif name == "additionalProperties":
            known = ", ".join(self._around(error)["properties"])
            for surplus in value:
                yield Problem(_pointer([*here, surplus]), f"is not known here; there are {known}.")
        else:
            wanted = _described(self._schema, self._around(error))
            yield Problem(_pointer(here), f"must be {wanted}, not {_shown(error.instance)}.")

    def _of_alternatives(self, error: Any) -> Iterator[Problem]:
        here, alternatives = error.instance_path, error.kind.context
        meant = [errors for errors in alternatives if not any(_is_another(one, here) for one in errors)]
        if len(meant) == 1:
            for one in meant[0]:
                yield from self._problems(one)
        elif any(_lacks_kind(one, here) for errors in alternatives for one in errors):
            yield Problem(_pointer([*here, "kind"]), f"is missing: one of {_kinds(self._around(error))}.")
        elif isinstance(error.instance, dict) and "discriminator" in self._around(error):
            shown = _shown(error.instance.get("kind"))
            yield Problem(_pointer([*here, "kind"]), f"must be one of {_kinds(self._around(error))}, not {shown}.")
        else:
            wanted = _described(self._schema, self._around(error))
            yield Problem(_pointer(here), f"must be {wanted}, not {_shown(error.instance)}.")

    def _around(self, error: Any) -> Schema:
        """The schema of which the error's keyword is a part."""
        around: Schema = reduce(lambda part, step: part[step], error.schema_path[:-1], self._schema)
        return around


def _is_another(error: Any, here: Path) -> bool:
    """Whether it is about an alternative that was not meant."""
    is_of_another_kind = error.kind.name == "enum" and error.instance_path == [*here, "kind"]
    is_of_another_type = error.kind.name == "type" and error.instance_path == here
    return bool(is_of_another_kind or is_of_another_type or _lacks_kind(error, here))


def _lacks_kind(error: Any, here: Path) -> bool:
    return bool(error.kind.name == "required" and error.kind.value == "kind" and error.instance_path == here)


def _kinds(union: Schema) -> str:
    return ", ".join(union["discriminator"]["mapping"])


def _described(root: Schema, schema: Schema) -> str:
    """What fits a schema: "a text of 1 to 100 characters". That a field may be null needs no saying."""
    if "$ref" in schema:
        schema = reduce(lambda part, name: part[name], schema["$ref"].split("/")[1:], root)
    if "discriminator" in schema:
        return f"an object of kind {_kinds(schema)}"
    if "anyOf" in schema:
        return " or ".join(_described(root, one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return "one of " * (len(schema["enum"]) > 1) + ", ".join(map(str, schema["enum"]))
    bounds = next((names for names in RANGES if all(name in schema for name in names)), ())
    range_ = RANGES[bounds].format(*(schema[name] for name in bounds)) if bounds else ""
    return TYPES[schema["type"]] + range_ + (PATTERNS[schema["pattern"]] if "pattern" in schema else "")


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN_CHARACTERS else f"{text[:MOST_SHOWN_CHARACTERS]}…"


def _pointer(path: Path) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
