"""The text of a definition as people read and edit it."""

import json
from typing import Any

import msgspec

from sources import definition as parts
from sources.definition import Definition

FIRST = ("kind", "version", "extract", "decode", "normalize", "map", "filter", "dedupe", "load", "schedule", "limits")
CLASSES = (
    *(Definition, parts.Schedule, parts.Http, parts.Sql, parts.File, parts.Decode, parts.Normalize, parts.Field),
    *(parts.Condition, parts.Append, parts.Upsert, parts.Replace, parts.RunLimits),
)
NAMES = [*FIRST, *(field.encode_name for part in CLASSES for field in msgspec.structs.fields(part))]
RANKS = {name: rank for rank, name in reversed(list(enumerate(NAMES)))}


def text(document: Any) -> str:
    """Indented; members in their usual order, for the database keeps none."""
    return json.dumps(_ordered(document), indent=2, ensure_ascii=False)


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(element) for element in value]
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value, key=lambda name: RANKS.get(name, len(NAMES)))}
    return value
