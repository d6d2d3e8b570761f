"""Figures: what was measured in alternating rounds, and the ratio that it comes to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Round:
    """Two rates measured one after the other, so that both saw the same machine."""

    ours: float
    other: float

    @property
    def ratio(self) -> float:
        return self.ours / self.other


@dataclass(slots=True)
class Figure:
    """`target`: the ratio that should be reached; None where there is none. `notes`: lines that go with it."""

    name: str
    title: str
    unit: str
    other_title: str
    target: float | None = None
    rounds: list[Round] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios, which drift less than the rates."""
        return median(round.ratio for round in self.rounds)

    @property
    def ours(self) -> float:
        return median(round.ours for round in self.rounds)

    @property
    def other(self) -> float:
        return median(round.other for round in self.rounds)

    @property
    def reached(self) -> bool | None:
        return None if self.target is None else self.ratio >= self.target

    @property
    def latest(self) -> str:
        last = self.rounds[-1]
        return f"({self.name}) {last.ours:,.0f} {self.unit}, ratio {last.ratio:.2f}"

    @property
    def verdict(self) -> str:
        if self.target is None:
            return "none"
        return f"{self.target:g} or more: {'reached' if self.reached else 'MISSED'}"

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "other": self.other_title,
            "ratio": self.ratio,
            "target": self.target,
            "reached": self.reached,
            "ours_median": self.ours,
            "other_median": self.other,
            "rounds": [{"ours": one.ours, "other": one.other, "ratio": one.ratio} for one in self.rounds],
            "notes": self.notes,
        }


def per_event(before: dict[str, float], after: dict[str, float], events: int) -> str:
    """CPU time by process, in microseconds an event, the largest first; what rounds to nothing is left out."""
    spent = {name: (after[name] - before[name]) / events * 1e6 for name in before if name in after}
    shown = sorted(((cost, name) for name, cost in spent.items() if cost >= 0.05), reverse=True)
    return ", ".join(f"{name} {cost:.1f}" for cost, name in shown)


@dataclass(slots=True)
class Finding:
    """What is no ratio of two rates: lines (label, text). `target`: in words; `numbers`: the same for programs."""

    name: str
    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    target: str | None = None
    reached: bool | None = None
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def latest(self) -> str:
        return f"({self.name}) {': '.join(self.rows[0])}"

    @property
    def verdict(self) -> str:
        return f"{self.target}: {'reached' if self.reached else 'MISSED'}" if self.target else "none"

    def as_json(self) -> dict[str, object]:
        rows = [{"label": label, "text": text} for label, text in self.rows]
        shown = {"target": self.target, "reached": self.reached, "numbers": self.numbers}
        return {"name": self.name, "title": self.title, "rows": rows, **shown}


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values_ms: Sequence[float]) -> str:
    ordered = sorted(values_ms)
    quantiles = (f"p{share * 100:g} {quantile(ordered, share):.1f}" for share in (0.5, 0.95, 0.99))
    return f"{', '.join(quantiles)}, max {ordered[-1]:.1f} ms"


def busy(before: dict[str, float], after: dict[str, float], seconds: float) -> str:
    """CPU time by process, in hundredths of a core, the busiest first."""
    shares = sorted(((after[name] - before[name]) / seconds, name) for name in before if name in after)
    return ", ".join(f"{name} {share:.0%}" for share, name in reversed(shares) if share >= 0.005)
