"""The correlations of a profile: a matrix where columns are few, else the strongest pairs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MOST_COLUMNS = 14
PAIRS_SHOWN = 40
LEVELS = 8

Pair = Mapping[str, Any]


class Heat(NamedTuple):
    """`level`: -8 to 8, for the colour."""

    text: str
    level: int
    label: str


def drawn(data: Mapping[str, Any]) -> dict[str, Any]:
    """`names` and `lines` of the matrix; or `pairs`, and how many there are in all."""
    pairs = sorted(data.get("correlations") or [], key=lambda pair: -abs(pair["pearson"] or 0))
    there = {name for pair in pairs for name in (pair["a"], pair["b"])}
    names = [column["name"] for column in data["columns"] if column["name"] in there]
    if len(names) > MOST_COLUMNS:
        return {"pairs": [(pair, _heat(pair)) for pair in pairs[:PAIRS_SHOWN]], "count": len(pairs)}
    return {"names": names, "lines": _matrix(names, pairs)}


def _matrix(names: Sequence[str], pairs: Sequence[Pair]) -> list[tuple[str, list[Heat]]]:
    found = {frozenset((pair["a"], pair["b"])): _heat(pair) for pair in pairs}
    same = {frozenset((name,)): Heat("", 0, "") for name in names}
    unknown = Heat("–", 0, "not known")
    known = {**found, **same}
    return [(name, [known.get(frozenset((name, other)), unknown) for other in names]) for name in names]


def _heat(pair: Pair) -> Heat:
    value = pair["pearson"]
    if value is None:
        return Heat("–", 0, f"{pair['a']} and {pair['b']}: not known")
    return Heat(f"{value:.2f}", round(value * LEVELS), f"{pair['a']} and {pair['b']}: {value:.3f}, {pair['n']:,} rows")
