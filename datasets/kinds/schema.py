"""`schema`: how many rows, and which columns of which types. Taking the snapshot is all the work."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from datasets.kinds.kind import Kind, Progress, register

if TYPE_CHECKING:
    from datasets.engine.table import Table


class SchemaParameters(Struct, frozen=True, forbid_unknown_fields=True):
    pass


@register
class SchemaKind(Kind[SchemaParameters]):
    name, title, Parameters = "schema", "Rows and columns", SchemaParameters

    def run(self, tables: Sequence["Table"], parameters: SchemaParameters, progress: Progress) -> dict[str, Any]:
        snapshot = tables[0].snapshot
        return {"rows": snapshot.rows, "columns": msgspec.to_builtins(snapshot.columns)}
