"""Which members JSON texts have, without looking at each by itself.

To ask DuckDB's json_structure of every text takes a third of a snapshot's time, and most of it where texts have many
members. Of texts that are put together in an array it tells in a half to a fifth of the time what all of them have: an
element with the members of each, and "JSON" where values are of several kinds. So it is seen of whole groups that they
tell nothing new. What the structure of a group hides changes no column: nulls, integers among other numbers, objects
without members among others. (DuckDB's `json_structure.cpp` merges so; a property test holds it to that.)
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

from datasets.engine.members import Members

if TYPE_CHECKING:
    import pyarrow

GROUP = 64
"""Texts. More of them hardly take less time each."""
BYTES_A_GROUP = 1 << 20
"""A text of more is parsed by itself: what is parsed takes many times its memory."""
UNCLEAR = '"JSON"'
"""In a structure: values of several kinds, or nothing but objects without members."""
MOST_KNOWN = 100_000
AT_ONCE = 10_000
TEXTS = "texts"


class Structures:
    """Those of the column `text` of chunks, told to the members."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, text: str, members: Members) -> None:
        self._connection = connection
        self._text = text
        self._members = members
        self._known = set[str]()
        self._known_of_groups = set[str]()
        self._helps = True

    def learn(self, chunk: "pyarrow.Table") -> None:
        """What is new in these texts. In groups, unless most of them tell something."""
        arrays = [_plain(array) for array in chunk.column(self._text).chunks]
        if self._known and self._helps:
            groups = [array.slice(first, GROUP) for array in arrays for first in range(0, len(array), GROUP)]
            arrays = [groups[place] for place in self._telling(arrays)]
            self._helps = 2 * len(arrays) <= len(groups)
        self._members.add(self._new(arrays))

    def _telling(self, arrays: Iterable["pyarrow.Array"]) -> list[int]:
        """The places of groups that may tell something new."""
        structure = f"CASE WHEN strlen(text) <= {BYTES_A_GROUP} THEN json_structure('[' || text || ']') END"
        found = self._found(
            f"SELECT {structure}, list(place) FROM {TEXTS} GROUP BY 1", [_joined(array) for array in arrays]
        )
        return sorted(place for structure, places in found if not self._is_known(structure) for place in places)

    def _is_known(self, structure: str | None) -> bool:
        """Of a group."""
        if structure is None or UNCLEAR in structure:
            return False
        if structure not in self._known_of_groups:
            [element] = msgspec.json.decode(structure)
            if not self._members.knows(element):
                return False
            _add(self._known_of_groups, [structure])
        return True

    def _new(self, arrays: Iterable["pyarrow.Array"]) -> list[tuple[str, int]]:
        """Structures that were not seen before, and in how many texts they are; in one order always."""
        found = self._found(f"SELECT json_structure(text), count(*) FROM {TEXTS} GROUP BY 1", arrays)
        new = [row for row in found if row[0] is not None and row[0] not in self._known]
        _add(self._known, [structure for structure, _ in new])
        return sorted(new)

    def _found(self, sql: str, arrays: Iterable["pyarrow.Array"]) -> Iterator[tuple[Any, ...]]:
        """Of texts, whose places are counted."""
        import pyarrow

        texts = pyarrow.chunked_array(arrays, pyarrow.utf8())
        places = pyarrow.array(range(len(texts)), pyarrow.int64())
        self._connection.register(TEXTS, pyarrow.table({"text": texts, "place": places}))
        try:
            found = self._connection.execute(sql)
            while rows := found.fetchmany(AT_ONCE):
                yield from rows
        finally:
            self._connection.unregister(TEXTS)


def _plain(array: "pyarrow.Array") -> "pyarrow.Array":
    """Without the name of the type of JSON."""
    import pyarrow

    return array.storage if isinstance(array, pyarrow.ExtensionArray) else array


def _joined(array: "pyarrow.Array") -> "pyarrow.Array":
    """The texts of each group, with commas between; null where one is."""
    import pyarrow
    from pyarrow import compute

    bounds = pyarrow.array([*range(0, len(array), GROUP), len(array)], pyarrow.int32())
    return compute.binary_join(pyarrow.ListArray.from_arrays(bounds, array), ",")


def _add(known: set[str], new: list[str]) -> None:
    known.update(new[: MOST_KNOWN - len(known)])
