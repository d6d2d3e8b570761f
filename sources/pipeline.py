"""The steps between what was received and what is loaded, as one definition asks for them."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sources.conditions import make_filter
from sources.definition import Definition
from sources.errors import RowRejected, SourceError
from sources.mapping import make_mapper, make_rows_mapper, unmatched
from sources.normalize import make_normalizer
from sources.rows import Item, Rejected, Row
from sources.tally import Tally

MOST_NAMES = 30
MOST_CHARACTERS = 500
ROWS_AT_ONCE = 32  # few enough that they need little memory, however large they are


class Pipeline:
    """Normalises, maps and filters rows. Raises BadDefinition when it is made."""

    def __init__(self, definition: Definition) -> None:
        self._fields = definition.map
        self._is_normalized = definition.normalize is not None
        self._normalize = make_normalizer(definition.normalize)
        self._map, self._map_rows = make_mapper(definition.map), make_rows_mapper(definition.map)
        self._passes = make_filter(definition.filter)

    def rows(self, items: Iterable[Item], tally: Tally, look: Callable[[Row], object] | None = None) -> Iterator[Row]:
        """What is to be loaded; the others are in the tally. `look` is shown every decoded row first."""
        passes, counts = self._passes, tally.counts
        for row in self._mapped(self._normalized(items, tally, look), tally):
            if passes(row):
                yield row
            else:
                counts["filtered"] += 1

    def _normalized(self, items: Iterable[Item], tally: Tally, look: Callable[[Row], object] | None) -> Iterator[Row]:
        counts = tally.counts
        for item in items:
            if isinstance(item, Rejected):
                tally.reject(item)
                continue
            counts["decoded"] += 1
            if look is not None:
                look(item)
            if self._is_normalized:
                yield from self._pieces(item, tally)
            else:
                yield item

    def _mapped(self, pieces: Iterator[Row], tally: Tally) -> Iterator[Row]:
        if not self._fields:
            return pieces
        return itertools.chain.from_iterable(self._mapped_at_once(some, tally) for some in _some(pieces))

    def _mapped_at_once(self, pieces: Sequence[Row], tally: Tally) -> Iterable[Row]:
        try:
            return self._map_rows(pieces)
        except (RowRejected, SourceError):
            return self._mapped_one_by_one(pieces, tally)

    def _mapped_one_by_one(self, pieces: Iterable[Row], tally: Tally) -> Iterator[Row]:
        for piece in pieces:
            try:
                yield self._map(piece)
            except RowRejected as rejection:
                tally.reject(Rejected("map", rejection.code, str(rejection), piece))

    def preview(self, items: Iterable[Item], most: int) -> dict[str, Any]:
        """Up to `most` rows after each step, those that were rejected with the reasons, and what looks wrong.

        `error` and `detail`, naming row and field, where a run would fail; the rows before that one are there.
        """
        tally = Tally()
        kept: list[Row] = []
        for item in itertools.islice(items, most):
            if isinstance(item, Rejected):
                tally.reject(item)
            else:
                kept.append(item)
        pieces = [piece for item in kept for piece in self._pieces(item, tally)][:most]
        mapped: list[Row] = []
        error: dict[str, str] = {}
        for number, piece in enumerate(pieces, start=1):
            try:
                mapped.append(self._map(piece))
            except RowRejected as rejection:
                tally.reject(Rejected("map", rejection.code, str(rejection), piece))
            except SourceError as failure:
                error = {"error": failure.code, "detail": f"Row {number}: {failure}"}
                break
        passed = [row for row in mapped if self._passes(row)]
        return {
            "decoded": kept,
            "normalized": pieces,
            "mapped": mapped,
            "filtered": passed,
            "rejected": tally.samples,
            "warnings": [self._warning(place, pieces[0]) for place in unmatched(self._fields, pieces)],
            **error,
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


def _some(pieces: Iterable[Row]) -> Iterator[list[Row]]:
    """ROWS_AT_ONCE of them, and fewer at the end. What came before an error is given before it is raised."""
    some: list[Row] = []
    try:
        for piece in pieces:
            some.append(piece)
            if len(some) == ROWS_AT_ONCE:
                yield some
                some = []
    except Exception:
        yield some
        raise
    yield some
