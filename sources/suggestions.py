"""What previewed rows suggest for their definition: where the rows stand, what names one, what its fields hold."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from ingest.fields import read_time
from sources.definition import Definition, Normalize
from sources.paths import MISSING, getter
from sources.rows import Row

MOST = 5
MOST_LEVELS = 6
MOST_FIELDS = 100
INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?")
COMMA_NUMBER = re.compile(
    r"-?(?:0|[1-9]\d{0,14}|[1-9]\d{0,2}([. \xa0\u202f'’])\d{3}(?:\1\d{3}){0,3})(?:,\d{1,15})?", re.ASCII
)
MAY_BE_GROUPS = re.compile(r"-?[1-9]\d{0,2},\d{3}|[^,]*", re.ASCII)
PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
LIKELY_KEY = re.compile(r"(^|[\W_])(id|key|uuid|code|sku|number)$", re.IGNORECASE)


def suggest(definition: Definition, steps: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """`paths` to lists of objects that may be the rows; `explode`: members with such lists; `flatten`: whether members
    have members; `keys`: fields with another value in every row, if the key names none; `map`: one entry for every
    field, with its type.
    """
    decoded, normalized, loaded = (steps[name] for name in ("decoded", "normalized", "filtered"))
    normalize = definition.normalize or Normalize(flatten=False)
    return {
        "paths": _paths(definition.decode.path, decoded),
        "explode": [] if len(decoded) < 2 else [name for name in _lists(normalized) if name not in normalize.explode],
        "flatten": not normalize.flatten and any(isinstance(value, dict) for row in decoded for value in row.values()),
        "keys": _keys(loaded, definition.load.key),
        "map": [] if definition.map else _fields(normalized),
    }


def _paths(beyond: str, decoded: Sequence[Row]) -> list[str]:
    """Of a single row, which may be all of the answer; the longest lists first."""
    if len(decoded) != 1:
        return []
    found = sorted(_lists_within(decoded[0], ()), key=lambda one: -one[1])
    return [".".join((*filter(None, [beyond]), *names)) for names, _ in found[:MOST]]


def _lists_within(value: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(value, list) and names and value and all(isinstance(member, dict) for member in value):
        yield names, len(value)
    elif isinstance(value, dict) and len(names) < MOST_LEVELS:
        for name, member in value.items():
            if "." not in name:
                yield from _lists_within(member, (*names, name))


def _lists(rows: Sequence[Row]) -> list[str]:
    names = [name for row in rows for name, value in row.items() if isinstance(value, list) and value]
    return list(dict.fromkeys(names))[:MOST]


def _keys(rows: Sequence[Row], key: Sequence[str]) -> list[str]:
    """When that of the definition names nothing."""
    if not key or all(getter(path)(row) is not MISSING for path in key for row in rows):
        return []
    names = [name for name in (rows[0] if len(rows) > 1 else {}) if _tells_apart([row.get(name) for row in rows])]
    return sorted(names, key=lambda name: (name.lower() != "id", not LIKELY_KEY.search(name)))[:MOST]


def _tells_apart(values: Sequence[Any]) -> bool:
    named = all(isinstance(value, str | int) and not isinstance(value, bool) and value != "" for value in values)
    return named and len(set(map(str, values))) == len(values)


def _fields(rows: Sequence[Row]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(name for row in rows for name in row))[:MOST_FIELDS]
    fields: list[dict[str, Any]] = []
    taken: set[str] = set()
    for name in names:
        to = _plain(name)
        fields.append({"to": name if to in taken else to, "from": _expression(name), **_type(name, rows)})
        taken.add(to)
    return fields


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or name


def _expression(name: str) -> str:
    return name if PLAIN_NAME.fullmatch(name) else orjson.dumps(name).decode()


def _type(name: str, rows: Sequence[Row]) -> dict[str, str]:
    """Of texts, what all of them can be read as; what is typed already stays as it is."""
    values = [value for row in rows if (value := row.get(name)) not in (None, "")]
    if not values or not all(isinstance(value, str) for value in values):
        return {}
    for kind, fits in TYPES.items():
        if all(fits(value) for value in values):
            return {"type": kind}
    return {"type": "number", "decimal": ","} if _have_commas(values) else {}


def _have_commas(texts: Sequence[str]) -> bool:
    """Numbers with a decimal comma; not where all might be numbers in English groups, such as 1,234."""
    return all(map(COMMA_NUMBER.fullmatch, texts)) and not all(map(MAY_BE_GROUPS.fullmatch, texts))


TYPES: dict[str, Callable[[str], object]] = {
    "integer": INTEGER.fullmatch,
    "number": NUMBER.fullmatch,
    "boolean": lambda value: value.lower() in ("true", "false"),
    "time": lambda value: value[:4].isdigit() and "-" in value[4:5] and read_time(value) is not None,
}
