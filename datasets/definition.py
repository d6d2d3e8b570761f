"""What a dataset selects, as a document.

events   {"streams": ["sensors"], "types": ["reading"], "conditions": {"payload.on": "true"}, "window": {"last": "24h"}}
records  {"source": "prices", "conditions": {"value.price__gt": "10"}}
upload   {"upload": "<id>", "decode": {"format": "csv"}}

Conditions are those of reading events (`ingest.conditions`), on `payload` or `value`, and `q` for words.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from datasets.errors import InvalidDataset, place_and_message
from datasets.models import DatasetKind
from ingest import aggregates, conditions
from ingest.conditional import MOST_CONDITIONS
from ingest.conditions import Condition, InvalidCondition
from sources.definition import Decode

MOST_STREAMS = 100
WORDS = "q"

Names = Annotated[list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(min_length=1, max_length=MOST_STREAMS)]
Conditions = Annotated[dict[str, str], Meta(max_length=MOST_CONDITIONS)]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Window(_Part, frozen=True):
    """Either fixed, from `starts_at` up to `ends_at` (each may be left out), or sliding: the `last` 24h, 7d or 30m."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    last: str | None = None


class Period(Struct, frozen=True):
    """[starts_at, ends_at) in UTC; None: from the beginning."""

    starts_at: datetime | None
    ends_at: datetime


class Events(_Part, frozen=True):
    """Without `types` those of all; without `streams` those of all but `analyses`, in which analyses are told."""

    streams: Names | None = None
    types: Names | None = None
    conditions: Conditions = {}
    window: Window = Window()


class Records(_Part, frozen=True):
    """Without `source` those of all sources and of none."""

    source: Annotated[str, Meta(min_length=1, max_length=92)] | None = None
    conditions: Conditions = {}


class File(_Part, frozen=True):
    """`decode.format` may be `parquet` too; left out, the format is found out."""

    upload: UUID
    decode: dict[str, Any] = {}


Definition = Events | Records | File
TYPES: dict[str, type[Events] | type[Records] | type[File]] = {
    DatasetKind.EVENTS: Events,
    DatasetKind.RECORDS: Records,
    DatasetKind.UPLOAD: File,
}
PARQUET = "parquet"


def read(kind: str, document: Any) -> Definition:
    """Raises InvalidDataset."""
    try:
        definition: Definition = msgspec.convert(document, TYPES[kind])
    except msgspec.ValidationError as error:
        raise InvalidDataset(*place_and_message(error)) from None
    if isinstance(definition, Events):
        _check_window(definition.window)
    if isinstance(definition, File):
        decode(definition)
    else:
        parsed_conditions(definition)
    return definition


def document(definition: Definition) -> dict[str, Any]:
    """As JSON has it."""
    return dict(msgspec.to_builtins(definition))


def parsed_conditions(definition: Events | Records) -> tuple[Condition, ...]:
    """Raises InvalidDataset."""
    column = "payload" if isinstance(definition, Events) else "value"
    return tuple(_condition(name, text, column) for name, text in definition.conditions.items())


def _condition(name: str, text: str, column: str) -> Condition:
    try:
        if name == WORDS:
            return conditions.parse_words(text)
        if not conditions.is_condition(name, column):
            raise InvalidCondition(
                f"There is no '{name}': conditions begin with {column}. or are {column}@ or {WORDS}."
            )
        return conditions.parse(name, text, column)
    except InvalidCondition as error:
        raise InvalidDataset(("conditions", name), str(error)) from None


def decode(definition: File) -> Decode | None:
    """None for Parquet. Raises InvalidDataset."""
    if definition.decode.get("format") == PARQUET:
        return None
    try:
        return msgspec.convert(definition.decode, Decode)
    except msgspec.ValidationError as error:
        place, message = place_and_message(error)
        raise InvalidDataset(("decode", *place), message) from None


def period(window: Window, now: datetime) -> Period:
    """What the window is at this moment."""
    if window.last is not None:
        return Period(now - _span(window.last), now)
    return Period(window.starts_at, min(window.ends_at or now, now))


def _check_window(window: Window) -> None:
    if window.last is not None:
        if window.starts_at or window.ends_at:
            raise InvalidDataset(("window",), "A window has either last, or starts_at and ends_at.")
        _span(window.last)
    for name in ("starts_at", "ends_at"):
        moment = getattr(window, name)
        if moment is not None and moment.tzinfo is None:
            raise InvalidDataset(("window", name), "The time needs its zone, such as 2026-01-31T12:00:00Z.")
    if window.starts_at and window.ends_at and window.starts_at >= window.ends_at:
        raise InvalidDataset(("window", "ends_at"), "It is not after starts_at.")


def _span(text: str) -> timedelta:
    try:
        return timedelta(seconds=aggregates.parse_bucket(text).seconds)
    except InvalidCondition as error:
        raise InvalidDataset(("window", "last"), str(error)) from None
