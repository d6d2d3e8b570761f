"""`compare`: what is different between two datasets, or between two stretches of time of one.

The first is `data`, that which is asked about; `other` is what it is compared with.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from datasets.kinds.kind import Kind, Progress, register

if TYPE_CHECKING:
    from datasets.engine.table import Table

Moment = Annotated[datetime, Meta(tz=True)]


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    starts_at: Annotated[Moment | None, Meta(description="The first moment in it; from the beginning if left out.")] = (
        None
    )
    ends_at: Annotated[Moment | None, Meta(description="The first moment after it; to the end if left out.")] = None

    def __post_init__(self) -> None:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("ends_at is not after starts_at.")


class CompareParameters(Struct, frozen=True, forbid_unknown_fields=True):
    other: Annotated[int | None, Meta(description="The dataset to compare with, by its id; this one if left out.")] = (
        None
    )
    window: Annotated[Window | None, Meta(description="Only rows of this dataset from that time.")] = None
    other_window: Annotated[Window | None, Meta(description="Only rows of the other from that time.")] = None
    columns: Annotated[list[str] | None, Meta(description="Only these columns; all that both have if left out.")] = None

    def __post_init__(self) -> None:
        if self.other is None and (self.window is None or self.other_window is None):
            raise ValueError("Name another dataset as other, or two windows of this one as window and other_window.")


@register
class CompareKind(Kind[CompareParameters]):
    name, title, Parameters, takes_other = "compare", "Comparison", CompareParameters, True

    def run(self, tables: Sequence["Table"], parameters: CompareParameters, progress: Progress) -> dict[str, Any]:
        from datasets.kinds.comparing.report import compare
        from datasets.kinds.comparing.side import Side

        data, other = tables[0], tables[-1]
        return compare(
            Side.of(data, parameters.window), Side.of(other, parameters.other_window), parameters.columns, progress
        )
