"""What the tests of decoding share: bodies out of bytes."""

import io
from typing import Any

from sources.bodies import Body
from sources.decode import rows
from sources.definition import Decode, RunLimits
from sources.rows import Item, Rejected


def decoded(data: bytes, *, name: str = "", content_type: str = "", charset: str = "", **spec: Any) -> list[Item]:
    return list(rows(Body(io.BytesIO(data), content_type, charset, name), Decode(**spec), RunLimits()))


def refusals(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.code, item.detail) for item in items if isinstance(item, Rejected)]
