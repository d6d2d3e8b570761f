"""One row becomes rows without nested lists, rows become flat.

Exploding is that of pandas.DataFrame.explode, in place: each element of the list stands where the list stood, with all
that was around it. An empty list leaves one row with null there. What is no list (null, a text, an object: XML has one
element or a list of them) is its own only element, and a row without the member stays as it is. Lists are exploded in
the order given, so a list in the elements of another comes after that other: ["event", "event.zone"]. Two lists beside
each other give every pair.

Flattening is that of pandas.json_normalize(max_level=depth, sep=separator): depth 0 flattens nothing; lists are left
alone; an empty object has no members to become members and disappears, unless it lies below the depth.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sources.definition import Normalize
from sources.errors import BadDefinition, RowRejected
from sources.paths import tracer
from sources.rows import Row

Normalizer = Callable[[Row], Iterable[Row]]


def make_normalizer(spec: Normalize | None) -> Normalizer:
    """A row in, its rows out. Rows that need no change are passed on, not copied; none is changed in place.

    RowRejected ("name_collision", "too_deep") comes while iterating, for one row of those that come out; the iterator
    can be asked for the next one after it. Raises BadDefinition.
    """
    if spec is None:
        return _only
    explode = _make_explode(spec.explode)
    if not spec.flatten or spec.depth == 0:
        return explode
    flatten = _make_flatten(spec.separator, spec.depth)
    return lambda row: map(flatten, explode(row))


def _only(row: Row) -> Iterable[Row]:
    return (row,)


def _make_explode(paths: list[str]) -> Normalizer:
    explode: Normalizer = _only
    for index, path in enumerate(paths):
        if not path:
            raise BadDefinition(f"/normalize/explode/{index}: name the list. The whole row is none.")
        explode = _then(explode, _make_explode_one(path))
    return explode


def _then(first: Normalizer, second: Normalizer) -> Normalizer:
    if first is _only:
        return second
    return lambda row: (exploded for element in first(row) for exploded in second(element))


def _make_explode_one(path: str) -> Normalizer:
    trace = tracer(path)

    def explode(row: Row) -> Iterator[Row]:
        trail = trace(row)
        elements = trail[-1][0][trail[-1][1]] if trail else None
        if not isinstance(elements, list):
            yield row
            return
        for element in elements or (None,):
            value: Any = element
            for parent, name in reversed(trail):
                value = {**parent, name: value}
            yield value

    return explode


def _make_flatten(separator: str, depth: int | None) -> Callable[[Row], Row]:
    def flatten(row: Row) -> Row:
        for value in row.values():
            if isinstance(value, dict):
                break
        else:
            return row
        flat: Row = {}
        try:
            add(flat, row, "", 0)
        except RecursionError:
            raise RowRejected("too_deep", "The row is nested too deeply to be flattened; say a `depth`.") from None
        return flat

    def add(flat: Row, members: Row, prefix: str, level: int) -> None:
        nested = depth is None or level < depth
        for name, value in members.items():
            name = prefix + name
            if nested and isinstance(value, dict):
                add(flat, value, name + separator, level + 1)
            elif name in flat:
                raise RowRejected("name_collision", _collision(name, separator))
            else:
                flat[name] = value

    return flatten


def _collision(name: str, separator: str) -> str:
    return f"Two members would be {name[:200]!r} after flattening with the separator {separator!r}; choose another one."
