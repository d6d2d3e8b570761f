"""Kinds of analysis that tests need, named in DATASETS_EXTRA_KINDS."""

import time
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from datasets.engine.table import Table
from datasets.errors import Refused
from datasets.kinds.kind import Kind, Progress, register


class Odd(Struct, frozen=True, forbid_unknown_fields=True):
    """`mebibytes` of the result."""

    seconds: float = 0.0
    mebibytes: int = 0
    fails: str = ""


class Pair(Struct, frozen=True, forbid_unknown_fields=True):
    other: int | None = None


@register
class OddKind(Kind[Odd]):
    name, title, Parameters = "odd", "Something odd", Odd

    def run(self, tables: Sequence[Table], parameters: Odd, progress: Progress) -> dict[str, Any]:
        progress(0.5, "half\x00way")
        time.sleep(parameters.seconds)
        if parameters.fails == "refuses":
            raise Refused("There is no column 'a\x00b'.")
        if parameters.fails == "fills the memory":
            tables[0].row("SELECT len(list(i)) FROM range(100000000) AS _(i)")
        if parameters.fails:
            raise ZeroDivisionError
        return {"padding": "x" * (parameters.mebibytes << 20), "odd": "a\x00b", "nan": float("nan")}


@register
class PairKind(Kind[Pair]):
    name, title, Parameters, takes_other = "pair", "Rows of two", Pair, True

    def run(self, tables: Sequence[Table], parameters: Pair, progress: Progress) -> dict[str, Any]:
        return {table.name: table.row(f"SELECT count(*) FROM {table.name}")[0] for table in tables}
