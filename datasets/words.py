"""What a dataset selects, in words."""

from datetime import UTC, datetime

from datasets.definition import WORDS, Definition, Events, File, Records, Window
from ingest.conditions import OPERATORS

SIGNS = {
    "eq": "is",
    "ne": "is not",
    "gt": ">",
    "gte": "≥",
    "lt": "<",
    "lte": "≤",
    "in": "is one of",
    "contains": "contains",
    "exists": "exists:",
}
assert set(SIGNS) == set(OPERATORS)


def in_words(definition: Definition, file: str = "") -> str:
    """`file`: the name of an upload's file."""
    if isinstance(definition, File):
        return file or "a file that is gone"
    if isinstance(definition, Records):
        whose = f"records of {definition.source}" if definition.source else "all records"
        return " ".join([whose, *_where(definition)])
    return " ".join([*_events(definition), *_where(definition), window_in_words(definition.window)])


def _events(definition: Events) -> list[str]:
    of = f"of {_listed(definition.streams)}" if definition.streams else "of all streams"
    return ["events", of, *([f"of type {_listed(definition.types)}"] if definition.types else [])]


def _where(definition: Events | Records) -> list[str]:
    said = [condition_in_words(name, text) for name, text in definition.conditions.items()]
    return [f"where {' and '.join(said)}"] if said else []


def condition_in_words(name: str, text: str) -> str:
    if name == WORDS:
        return f"the words {text} are in it"
    if name.endswith("@"):
        return f"{name.removesuffix('@')} contains {text}"
    path, _, operator = name.rpartition("__")
    return f"{path} {SIGNS[operator]} {text}" if path and operator in SIGNS else f"{name} is {text}"


def window_in_words(window: Window) -> str:
    if window.last:
        return f"of the last {window.last}"
    if window.starts_at and window.ends_at:
        return f"from {_time(window.starts_at)} to {_time(window.ends_at)}"
    if window.starts_at:
        return f"since {_time(window.starts_at)}"
    return f"until {_time(window.ends_at)}" if window.ends_at else "of all time"


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
