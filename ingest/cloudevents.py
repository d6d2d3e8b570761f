"""CloudEvents 1.0: which fields an event has, and the binary HTTP mode composed into the structured form.

Sources: CloudEvents 1.0.2, "JSON Event Format" and "HTTP Protocol Binding".
"""

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from ingest.fields import Fields, read_key, read_time, read_type
from ingest.payload import Limits, Refused, read

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_name = re.compile(r"[a-z0-9]+")
_json_type = re.compile(r"(application|text)/json|[^/]+/[^/]+\+json")
_quoted = re.compile(r'"((?:[^"\\]|\\.)*)"')


def read_fields(event: dict[str, Any]) -> Fields:
    """Key (source and id identify an event), type, time. Raises Refused for what is no CloudEvent."""
    if event.get("specversion") != "1.0":
        raise _invalid('specversion must be "1.0"')
    for name in ("id", "source", "type"):
        if type(event.get(name)) is not str or not event[name]:
            raise _invalid(f"{name} must be a non-empty string")
    if len(event["source"].split()) != 1 or event["source"] != event["source"].strip():
        raise _invalid("source must be a URI reference, without white space")
    return (
        read_key(f"{event['source']} {event['id']}"),
        read_type(event["type"]),
        read_time(event.get("time")),
    )


def compose(
    data: bytes,
    content_type: str,
    media_type: str,
    charset: str,
    headers: Mapping[bytes, bytes],
    limits: Limits,
) -> bytes:
    """A binary-mode event in structured form; JSON data stand in it as they were posted.

    Raises Refused when the attributes or the JSON data are not valid.
    """
    event = {
        name[3:].decode("latin-1"): _decode(name, value) for name, value in headers.items() if name.startswith(b"ce-")
    }
    for name in event:
        if not _name.fullmatch(name) or name in ("data", "datacontenttype"):
            raise _invalid(f"the header ce-{name[:40]} names no attribute that a header may set")
    if content_type:
        event["datacontenttype"] = content_type
    if data and (not media_type or _json_type.fullmatch(media_type)):
        read(data, limits)  # by itself: inside the event, text such as 1,"id":2 would pass
        return orjson.dumps(event)[:-1] + b',"data":' + data + b"}"
    if data:
        event |= _as_text(data, media_type, charset)
    return orjson.dumps(event)


def _as_text(data: bytes, media_type: str, charset: str) -> dict[str, str]:
    if media_type.startswith("text/") and charset in ("", "utf-8", "utf8", "us-ascii"):
        try:
            return {"data": data.decode()}
        except UnicodeDecodeError:
            pass
    return {"data_base64": base64.b64encode(data).decode()}


def _decode(name: bytes, value: bytes) -> str:
    text = value.decode("latin-1").strip()
    if quoted := _quoted.fullmatch(text):
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise _invalid(f"the header {name.decode('latin-1')[:40]} is not percent-encoded UTF-8") from None


def _invalid(what: str) -> Refused:
    return Refused("invalid_cloudevent", f"Not a CloudEvent of version 1.0: {what}.")
