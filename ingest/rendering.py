"""JSON answers, with payloads copied as the text that PostgreSQL has: no number loses a digit on its way out."""

from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


class OrjsonRenderer(BaseRenderer):
    """Renders what `orjson` takes, `orjson.Fragment` included; times in UTC end with Z."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else as_json(data)


def as_json(data: Any) -> bytes:
    """Integers and decimals keep all their digits; half a surrogate pair, which UTF-8 cannot say, becomes `?`."""
    try:
        return orjson.dumps(data, default=_other, option=OPTIONS)
    except orjson.JSONEncodeError:
        return orjson.dumps(_plain(data), default=_other, option=OPTIONS)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    return str(value)


def _plain(value: Any) -> Any:
    """The same, with what orjson refuses said in other words."""
    if isinstance(value, dict):
        return {_plain(name) if isinstance(name, str) else name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return orjson.Fragment(str(value))
    return value
