"""A comparison: schemas, rows, and each column that both sides have."""

from collections.abc import Sequence
from typing import Any

from datasets.errors import Refused
from datasets.kinds import plain
from datasets.kinds.comparing import groups, smirnov, stability
from datasets.kinds.comparing.groups import Group, Pair
from datasets.kinds.comparing.side import Side
from datasets.kinds.comparing.smirnov import Difference
from datasets.kinds.kind import Progress
from datasets.kinds.profiling.field import NUMBER, TIME


def compare(data: Side, other: Side, names: Sequence[str] | None, progress: Progress) -> dict[str, Any]:
    """Shape: see docs/datasets.md. Raises Refused for a column that not both have."""
    shared = _shared(data, other, names)
    progress(0.0, "Range and quantiles")
    here = data.seen(shared)
    progress(0.25, "Range and quantiles of the other")
    pairs = list(zip(here, other.seen(shared), strict=True))
    progress(0.5, "Shares of numbers")
    numbers = [pair for pair in pairs if _of_kind(pair, NUMBER) and all(one.finite for one in pair)]
    found = dict(zip(map(_name, numbers), groups.of_numbers(data, other, numbers), strict=True))
    progress(0.6, "Shares of values")
    others = [pair for pair in pairs if _is_of_categories(pair)]
    found |= dict(zip(map(_name, others), groups.of_categories(data, other, others), strict=True))
    differences: dict[str, Difference | None] = {}
    for done, (own, theirs) in enumerate(numbers):
        progress(0.7 + 0.3 * done / len(numbers), f"Distributions, {done} of {len(numbers)} done")
        differences[own.field.name] = smirnov.test(data, own.field, other, theirs.field)
    return {
        "rows": {"data": data.rows, "other": other.rows},
        "schema": _schema(data, other),
        "columns": [
            _column(pair, data, other, found.get(_name(pair), []), differences.get(_name(pair))) for pair in pairs
        ],
    }


def _shared(data: Side, other: Side, names: Sequence[str] | None) -> list[str]:
    theirs = {column.name for column in other.table.columns}
    shared = [column.name for column in data.table.columns if column.name in theirs]
    for name in names or ():
        if name not in shared:
            raise Refused(f"There is no column {name!r} on both sides. There are {', '.join(shared[:20]) or 'none'}.")
    return [name for name in shared if names is None or name in names]


def _schema(data: Side, other: Side) -> dict[str, Any]:
    here = {column.name: column.type for column in data.table.columns}
    there = {column.name: column.type for column in other.table.columns}
    return {
        "added": [{"name": name, "type": kind} for name, kind in here.items() if name not in there],
        "removed": [{"name": name, "type": kind} for name, kind in there.items() if name not in here],
        "changed": [
            {"name": name, "data": kind, "other": there[name]}
            for name, kind in here.items()
            if there.get(name, kind) != kind
        ],
    }


def _name(pair: Pair) -> str:
    return pair[0].field.name


def _of_kind(pair: Pair, kind: str) -> bool:
    return all(one.field.kind == kind for one in pair)


def _is_of_categories(pair: Pair) -> bool:
    kinds = {one.field.kind for one in pair}
    return len(kinds) == 1 and not kinds & {NUMBER, TIME} and all(one.there for one in pair)


def _column(
    pair: Pair, data: Side, other: Side, found: Sequence[Group], difference: Difference | None
) -> dict[str, Any]:
    """Times move on by themselves: of them, and of columns of two kinds, there is nothing but nulls to compare."""
    psi = stability.index([one.data for one in found], [one.other for one in found]) if found else None
    own, theirs = pair
    means = {"data": plain.number(own.mean), "other": plain.number(theirs.mean)}
    return {
        "name": own.field.name,
        "kind": own.field.kind,
        "psi": psi,
        "psi_reading": None if psi is None else stability.reading(psi),
        "ks": None if difference is None else {"d": difference.d, "p": difference.p},
        "null_rate": {"data": _null_rate(own.there, data.rows), "other": _null_rate(theirs.there, other.rows)},
        "mean": means if _of_kind(pair, NUMBER) else None,
        "bins": [{"label": one.label, "data": one.data, "other": one.other} for one in found],
    }


def _null_rate(there: int, rows: int) -> float:
    return (rows - there) / rows if rows else 0.0
