"""A kind of analysis that tries to reach what it should not."""

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from datasets.engine.table import Table
from datasets.kinds.kind import Kind, Progress, register


class PryingParameters(Struct, frozen=True, forbid_unknown_fields=True):
    deed: str
    at: str = ""


def connect(at: str) -> None:
    socket.create_connection(("127.0.0.1", int(at)), timeout=5).close()


DEEDS: dict[str, Callable[[str], Any]] = {
    "read": lambda at: len(Path(at).read_bytes()),
    "list": lambda at: len(os.listdir(at)),
    "write": lambda at: Path(at).write_text("changed"),
    "remove": os.unlink,
    "truncate": lambda at: os.truncate(at, 0),
    "connect": connect,
}


@register
class PryingKind(Kind[PryingParameters]):
    name, title, Parameters = "prying", "Prying", PryingParameters

    def run(self, tables: Sequence[Table], parameters: PryingParameters, progress: Progress) -> dict[str, Any]:
        try:
            DEEDS[parameters.deed](parameters.at)
        except PermissionError:
            return {"outcome": "refused"}
        return {"outcome": "done", "rows": tables[0].row("SELECT count(*) FROM data")[0]}
