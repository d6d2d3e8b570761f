"""The frames of `events.v1`: what clients may send, and how what they get is spelt.

The protocol, its invariants and the meaning of every field: docs/live-feed.md. Every frame is a JSON object in a text
message, and `op` says what it is.

    from the client   auth, sub, unsub, ack, pong
    from the server   hello, ok, events, gap, stats, hb, error
"""

from typing import Annotated, Any, Literal

import msgspec

from monitor.errors import BadFrame, FeedError, FrameTooLarge

MAX_CLIENT_FRAME_BYTES = 65_536

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)]


class Auth(msgspec.Struct, tag_field="op", tag="auth", forbid_unknown_fields=True):
    token: str


class Since(msgspec.Struct, forbid_unknown_fields=True):
    epoch: str
    seq: Number


class Sub(msgspec.Struct, tag_field="op", tag="sub", forbid_unknown_fields=True):
    id: Id
    stream: str | None = None
    type: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    filter: str | None = None
    mode: Literal["events", "stats"] = "events"
    max_rate: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    since: Since | None = None

    def __post_init__(self) -> None:
        if self.mode == "stats":
            for name in ("type", "filter", "max_rate", "since"):
                if getattr(self, name) is not None:
                    raise ValueError(f"'{name}' does not go with 'mode': 'stats'")


class Unsub(msgspec.Struct, tag_field="op", tag="unsub", forbid_unknown_fields=True):
    id: str


class Ack(msgspec.Struct, tag_field="op", tag="ack", forbid_unknown_fields=True):
    seq: Number


class Pong(msgspec.Struct, tag_field="op", tag="pong"):
    pass


ClientFrame = Auth | Sub | Unsub | Ack | Pong

_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)


def decode(text: str | None) -> ClientFrame:
    """Raises BadFrame or FrameTooLarge."""
    if text is None:
        raise BadFrame("Frames must be JSON in text messages, not binary.")
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_CLIENT_FRAME_BYTES:
        raise FrameTooLarge(f"This frame has more than the {MAX_CLIENT_FRAME_BYTES} bytes that are taken.")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(f"This frame is not one of auth, sub, unsub, ack, pong: {error}.") from error


def encode(op: str, **fields: Any) -> str:
    return msgspec.json.encode({"op": op, **fields}).decode()


def error_frame(error: FeedError, id: str | None = None) -> str:
    return encode("error", code=error.code, message=error.message, temporary=error.temporary, id=id)
