"""A comparison as its page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets.drawing import bars
from datasets.drawing.bars import Bar
from datasets.templatetags.figures import figure, share

EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Drift:
    """`column` as the comparison has it; for each of its `bins` a bar of this data and one of the other."""

    column: Mapping[str, Any]
    data: list[Bar]
    other: list[Bar]
    bins: list[tuple[str, float, float]]

    @property
    def first(self) -> str:
        return self.bins[0][0]

    @property
    def last(self) -> str:
        return self.bins[-1][0]


def columns(data: Mapping[str, Any]) -> list[Drift]:
    """Those that drifted most first."""
    return [_drift(column) for column in sorted(data["columns"], key=lambda one: -(one.get("psi") or 0))]


def _drift(column: Mapping[str, Any]) -> Drift:
    bins = [(figure(one["label"]) or EMPTY, one["data"] or 0, one["other"] or 0) for one in column.get("bins") or []]
    most = max((max(here, there) for _, here, there in bins), default=0)
    here = [f"{label}: {share(part)} here" for label, part, _ in bins]
    there = [f"{label}: {share(part)} in the other" for label, _, part in bins]
    return Drift(
        column=column,
        data=bars.upright([part for _, part, _ in bins], here, 0, 2, most),
        other=bars.upright([part for _, _, part in bins], there, 1, 2, most),
        bins=bins,
    )
