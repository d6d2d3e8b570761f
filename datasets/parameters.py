"""Which kinds of analysis there are, and whether parameters are those of one."""

from typing import Any

import msgspec
from django.conf import settings

from access.differences import storable
from datasets.errors import InvalidAnalysis, place_and_message
from datasets.kinds import kind as known
from datasets.kinds.kind import Kind

MOST_BYTES = 1 << 15
"""Of parameters as JSON: they stand in lists of tasks and in the audit log."""


def kinds() -> dict[str, Kind[Any]]:
    """By name, those of DATASETS_EXTRA_KINDS too."""
    return known.load(settings.DATASETS_EXTRA_KINDS)


def kind_of(name: str) -> Kind[Any]:
    """Raises InvalidAnalysis."""
    found = kinds()
    if name not in found:
        raise InvalidAnalysis("kind", (), f"There is no kind {name[:50]!r}; there are {', '.join(sorted(found))}.")
    return found[name]


def read(kind: Kind[Any], given: Any) -> dict[str, Any]:
    """As JSON has them, those that were left out too. Raises InvalidAnalysis."""
    try:
        parameters: dict[str, Any] = msgspec.to_builtins(msgspec.convert(given, kind.Parameters))
    except msgspec.ValidationError as error:
        raise InvalidAnalysis("parameters", *place_and_message(error)) from None
    if len(msgspec.json.encode(parameters)) > MOST_BYTES:
        raise InvalidAnalysis("parameters", (), f"They have more than {MOST_BYTES >> 10} KiB as JSON.")
    if storable(parameters) != parameters:
        raise InvalidAnalysis("parameters", (), "They hold a character that cannot be stored: NUL, or half of a pair.")
    return parameters
