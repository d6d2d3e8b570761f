"""`profile`: what an analyst would look at first, of each column and of the whole.

Everything comes from a few passes over the snapshot, each for all columns or for 50 of them; memory does not grow with
the rows. The method of a figure, and how exact it is, stands where it is computed, in `profiling`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from datasets.kinds.kind import Kind, Progress, register

if TYPE_CHECKING:
    from datasets.engine.table import Table

MOST_TOP_VALUES = 50


class ProfileParameters(Struct, frozen=True, forbid_unknown_fields=True):
    columns: Annotated[
        list[str] | None, Meta(description="The columns to look at, all when left out. Duplicates are of all columns.")
    ] = None
    top: Annotated[
        int, Meta(ge=1, le=MOST_TOP_VALUES, description="How many of the most frequent values of a column to list.")
    ] = 10


@register
class ProfileKind(Kind[ProfileParameters]):
    name, title, Parameters = "profile", "Profile", ProfileParameters

    def run(self, tables: Sequence["Table"], parameters: ProfileParameters, progress: Progress) -> dict[str, Any]:
        from datasets.kinds.profiling.report import profile

        return profile(tables[0], parameters.columns, parameters.top, progress)
