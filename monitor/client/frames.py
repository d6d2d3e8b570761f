"""The frames of `events.v1` as a client reads them. Their meaning: docs/live-feed.md."""

from typing import Any, TypeVar

import msgspec

from monitor.client.errors import ProtocolViolation

SHOWN_CHARACTERS = 200


class _Frame(msgspec.Struct, tag_field="op", frozen=True):
    pass


class Hello(_Frame, tag="hello", frozen=True):
    epoch: str | None
    seq: int | None
    authenticated: bool
    limits: dict[str, float]


class Ok(_Frame, tag="ok", frozen=True):
    id: str
    epoch: str
    seq: int


class Event(msgspec.Struct, frozen=True):
    """`payload` is JSON as the server wrote it."""

    id: str
    stream: str
    type: str | None
    key: str | None
    time: str | None
    received_at: str
    payload: msgspec.Raw


class Events(_Frame, tag="events", frozen=True):
    """Numbers `first` to `last`. `events` are JSON as the server wrote it: nothing is lost in numbers."""

    id: str
    epoch: str
    n: int
    matched: int
    omitted: int
    unchecked: int
    behind: int
    events: list[msgspec.Raw]
    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")

    def read(self) -> list[Event]:
        """The events taken apart. Raises ProtocolViolation."""
        return [_decode(_event_decoder, event) for event in self.events]


class Gap(_Frame, tag="gap", frozen=True):
    """Numbers `first` to `last`, which will not come; 1 to 0: nobody knows how many."""

    id: str
    epoch: str
    reason: str
    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")


class Received(msgspec.Struct, frozen=True):
    total: int | None
    per_second: float
    n: int


class StreamRate(msgspec.Struct, frozen=True):
    stream: str
    per_second: float
    n: int


class TypeRate(msgspec.Struct, frozen=True):
    type: str | None
    per_second: float
    n: int


class Buffered(msgspec.Struct, frozen=True):
    events: int
    bytes: int
    oldest_age_seconds: float | None


class Lag(msgspec.Struct, frozen=True):
    p50: float | None
    p99: float | None


class Stats(_Frame, tag="stats", frozen=True):
    id: str
    at: float
    interval_seconds: float
    received: Received
    by_stream: list[StreamRate]
    by_type: list[TypeRate]
    buffered: Buffered | None
    stored: int | None
    duplicates: int | None
    dead: int | None
    lag_ms: Lag | None


class Heartbeat(_Frame, tag="hb", frozen=True):
    pass


class Error(_Frame, tag="error", frozen=True):
    code: str
    message: str
    temporary: bool
    id: str | None = None


ServerFrame = Hello | Ok | Events | Gap | Stats | Heartbeat | Error

_T = TypeVar("_T")
_decoder: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)
_event_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def decode(text: str | bytes) -> ServerFrame:
    """Raises ProtocolViolation."""
    return _decode(_decoder, text)


def encode(op: str, **fields: Any) -> str:
    """What a client sends; fields that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode({"op": op, **given}).decode()


def _decode(decoder: "msgspec.json.Decoder[_T]", text: str | bytes | msgspec.Raw) -> _T:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError) as error:
        shown = bytes(text) if isinstance(text, msgspec.Raw) else text
        raise ProtocolViolation(f"{error} in {shown[:SHOWN_CHARACTERS]!r}") from error
