"""The steps between what was received and what is loaded, as one definition asks for them."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sources.conditions import make_filter
from sources.definition import Definition
from sources.errors import RowRejected
from sources.mapping import make_mapper, unmatched
from sources.normalize import make_normalizer
from sources.rows import Item, Rejected, Row
from sources.tally import Tally

MOST_NAMES = 30
MOST_CHARACTERS = 500


class Pipeline:
    """Normalises, maps and filters row by row. Raises BadDefinition when it is made."""

    def __init__(self, definition: Definition) -> None:
        self._fields = definition.map
        self._is_normalized = definition.normalize is not None
        self._normalize = make_normalizer(definition.normalize)
        self._map = make_mapper(definition.map)
        self._passes = make_filter(definition.filter)

    def rows(self, items: Iterable[Item], tally: Tally, look: Callable[[Row], object] | None = None) -> Iterator[Row]:
        """What is to be loaded; the others are in the tally. `look` is shown every decoded row first."""
        map_row, passes, counts = self._map, self._passes, tally.counts
        for item in items:
            if isinstance(item, Rejected):
                tally.reject(item)
                continue
            counts["decoded"] += 1
            if look is not None:
                look(item)
            for piece in self._pieces(item, tally) if self._is_normalized else (item,):
                try:
                    row = map_row(piece)
                except RowRejected as rejection:
                    tally.reject(Rejected("map", rejection.code, str(rejection), piece))
                    continue
                if passes(row):
                    yield row
                else:
                    counts["filtered"] += 1

    def preview(self, items: Iterable[Item], most: int) -> dict[str, list[Any]]:
        """Up to `most` rows after each step, those that were rejected with the reasons, and what looks wrong."""
        tally = Tally()
        kept: list[Row] = []
        for item in itertools.islice(items, most):
            if isinstance(item, Rejected):
                tally.reject(item)
            else:
                kept.append(item)
        pieces = [piece for item in kept for piece in self._pieces(item, tally)][:most]
        mapped: list[Row] = []
        for piece in pieces:
            try:
                mapped.append(self._map(piece))
            except RowRejected as rejection:
                tally.reject(Rejected("map", rejection.code, str(rejection), piece))
        passed = [row for row in mapped if self._passes(row)]
        return {
            "decoded": kept,
            "normalized": pieces,
            "mapped": mapped,
            "filtered": passed,
            "rejected": tally.samples,
            "warnings": [self._warning(place, pieces[0]) for place in unmatched(self._fields, pieces)],
        }

    def _warning(self, place: int, piece: Row) -> dict[str, str]:
        """`pointer`: into the definition."""
        there = ", ".join(list(piece)[:MOST_NAMES])[:MOST_CHARACTERS]
        message = f"{self._fields[place].source[:MOST_CHARACTERS]} is in none of these rows; the first has {there}."
        return {"pointer": f"/map/{place}/from", "message": message}

    def _pieces(self, item: Row, tally: Tally) -> Iterator[Row]:
        """One that is rejected costs the others of its row nothing."""
        pieces = iter(self._normalize(item))
        while True:
            try:
                yield next(pieces)
            except StopIteration:
                return
            except RowRejected as rejection:
                tally.reject(Rejected("normalize", rejection.code, str(rejection), item))
