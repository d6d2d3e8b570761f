"""Most texts are seen to tell nothing new in groups; which those are, and when each is looked at by itself."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import pytest

from datasets.engine import structures
from datasets.engine.members import Members
from datasets.engine.structures import GROUP, Structures
from datasets.engine.table import connect

KNOWN = [{"a": 1, "b": {"c": "x"}, "d": 1}, {"a": 0.5, "b": {}, "d": -1}, {"a": None}]


class Looked(Structures):
    """How many texts of the last chunk were looked at one by one."""

    texts = 0

    def _new(self, arrays: Any) -> list[tuple[str, int]]:
        self.texts = sum(len(array) for array in arrays)
        return super()._new(arrays)


@pytest.fixture
def looked(tmp_path: Path) -> Iterator[Looked]:
    with connect(300_000_000, 2, tmp_path) as connection:
        yield learned(connection)


def learned(connection: duckdb.DuckDBPyConnection) -> Looked:
    made = Looked(connection, "payload", Members("", 1000))
    made.learn(chunk(KNOWN))
    return made


def chunk(documents: Sequence[Any]) -> pyarrow.Table:
    texts = [None if document is None else json.dumps(document) for document in documents]
    half = len(texts) // 2  # in several arrays, as a driver gives them
    return pyarrow.table({"payload": pyarrow.chunked_array([texts[:half], texts[half:]], pyarrow.utf8())})


def test_of_the_first_chunk_each_is_looked_at(looked: Looked) -> None:
    assert looked.texts == len(KNOWN)


def test_what_is_known_is_not_looked_at_again(looked: Looked) -> None:
    looked.learn(chunk(KNOWN * 1000))
    assert looked.texts == 0


@pytest.mark.parametrize(
    "new",
    [
        {"new": 1},
        {"a": "x"},
        {"a": {}},
        {"a": [1]},
        {"a": True},
        {"b": 1},
        {"b": {"new": None}},
        {"b": {"c": 1}},
        [],
        None,
    ],
)
def test_what_tells_something_new_is_looked_at_with_its_group_alone(looked: Looked, new: Any) -> None:
    looked.learn(chunk([*KNOWN * 1000, new, *KNOWN * 1000]))
    assert 0 < looked.texts <= GROUP


def test_where_most_groups_tell_something_each_is_looked_at_from_then_on(looked: Looked) -> None:
    new = [{"a": 1, f"b{n}": n} for n in range(3000)]
    for _ in range(2):
        looked.learn(chunk(new))
        assert looked.texts == len(new)
    looked.learn(chunk(KNOWN * 1000))
    assert looked.texts == 1000 * len(KNOWN)


def test_large_texts_are_not_put_together(looked: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures, "BYTES_A_GROUP", 5000)
    looked.learn(chunk([*KNOWN * 1000, {"b": {"c": "x" * 5000}}]))
    assert 0 < looked.texts <= GROUP


def test_a_chunk_without_rows_tells_nothing(looked: Looked) -> None:
    looked.learn(chunk([]))
    assert looked.texts == 0
