"""The frames of `events.v1`: what clients may send, and how what they get is spelt.

Every frame is a JSON object in a text message, and `op` says what it is.

    from the client
    auth    token                       an API key, for clients that have no header for it
    sub     id, stream?, type?, mode?   mode "events" (the default) or "stats"
    unsub   id
    pong                                may answer hb; nothing depends on it

    from the server
    hello   epoch, seq, authenticated, limits
    ok      id, seq                     answers sub and unsub
    events  id, epoch, from, to, n, matched, omitted, events
    gap     id, epoch, from, to, reason
    stats   id, at, received, by_stream, by_type, buffered, stored, duplicates, dead, lag_ms
    hb      seq                         after a quiet while
    error   code, message, temporary, id

`hello` comes first, with `epoch` and `seq` null for a client that has yet to authenticate; `auth` is answered
by a second. Of a subscription, `events` and `gap` together cover every number after the `seq` of its `ok`,
in order: `from` is the last `to` + 1, `n` = `to` − `from` + 1, `matched` = number of `events` + `omitted`.
A `gap` with reason `new_epoch` says that the numbers start again; it has `from` 1 and `to` 0.
"""

from typing import Any, Literal

import msgspec

from monitor.errors import BadFrame, FeedError, FrameTooLarge

MAX_CLIENT_FRAME_BYTES = 65_536


class Auth(msgspec.Struct, tag_field="op", tag="auth", forbid_unknown_fields=True):
    token: str


class Sub(msgspec.Struct, tag_field="op", tag="sub", forbid_unknown_fields=True):
    id: str = msgspec.field()
    stream: str | None = None
    type: str | None = None
    mode: Literal["events", "stats"] = "events"

    def __post_init__(self) -> None:
        if not 1 <= len(self.id) <= 64:
            raise ValueError("'id' must have 1 to 64 characters")
        if self.mode == "stats" and self.type is not None:
            raise ValueError("'type' does not go with 'mode': 'stats'")


class Unsub(msgspec.Struct, tag_field="op", tag="unsub", forbid_unknown_fields=True):
    id: str


class Pong(msgspec.Struct, tag_field="op", tag="pong"):
    pass


ClientFrame = Auth | Sub | Unsub | Pong

_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)


def decode(text: str | None) -> ClientFrame:
    """Raises BadFrame or FrameTooLarge."""
    if text is None:
        raise BadFrame("Frames must be JSON in text messages, not binary.")
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_CLIENT_FRAME_BYTES:
        raise FrameTooLarge(f"This frame has {len(data)} bytes; at most {MAX_CLIENT_FRAME_BYTES} are taken.")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(f"This frame is not one of auth, sub, unsub, pong: {error}.") from error


def encode(op: str, **fields: Any) -> str:
    return msgspec.json.encode({"op": op, **fields}).decode()


def error_frame(error: FeedError, id: str | None = None) -> str:
    return encode("error", code=error.code, message=error.message, temporary=error.temporary, id=id)
