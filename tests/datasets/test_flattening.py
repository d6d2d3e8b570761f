"""Members of JSON documents as columns: whatever the documents are, no value is lost, and none is made up."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datasets.engine import structures, table
from tests.datasets import flattening
from tests.datasets.flattening import NOTHING, at, columns, paths, reads_as, type_of

NAMES = st.sampled_from(["a", "A", "b", "", "a.b", 'q"', "s/l", "t~", "ü", "Ü", "0", " x", "$", "'", "\\", "select"])
NUMBERS = (
    st.integers(-5, 5)
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([(1 << 63) - 1, 1 << 63, (1 << 64) - 1, -(1 << 63), 0.5, 7.0])
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5) | st.sampled_from(
    ["7", ""]
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
CHUNKS = st.lists(st.lists(DOCUMENTS, max_size=5), min_size=1, max_size=3)


@given(CHUNKS)
@example([[{"a": 1.5}, {"a": 7}], [{"a": "x"}]])
@example([[{"a": {}}], [{"a": {"b": 1}}], [{"a": 5}, {"A": {"b": 2}}]])
@example([[{"a": 1 << 63}], [{"a": -1}], [{"a": 0.5}], [{"a": True}]])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_value_is_in_the_column_of_its_path(chunks: list[list[dict[str, Any]]]) -> None:
    check(chunks)


@given(st.lists(DOCUMENTS, min_size=1, max_size=3), st.lists(DOCUMENTS, max_size=2), st.randoms(use_true_random=False))
@example([{"a": "x"}], [{"a": {"b": 1}}], random.Random(1))
@example([{"a": {"b": "x"}}], [{"a": {}}, {"a": "x"}], random.Random(1))
@example([{"a": 0.5}, {"a": 1}], [{"a": 1 << 70}, {"a": None}], random.Random(1))
@example([{"a": {}}], [{"a": "x"}], random.Random(1))
@example([{"a": [1]}], [{"a": []}, {"a": [{}]}], random.Random(1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_new_is_overlooked_among_many_that_tell_nothing(
    known: list[dict[str, Any]], new: list[dict[str, Any]], random: random.Random
) -> None:
    mixed = known * 8 + new
    random.shuffle(mixed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structures, "GROUP", 3)
        check([known, known * 4, mixed, known * 4 + new])


def check(chunks: list[list[dict[str, Any]]]) -> None:
    documents = [document for chunk in chunks for document in chunk]
    with tempfile.TemporaryDirectory() as folder:
        made, members = columns(Path(folder), chunks)
    assert not members.notes()
    found = {member.path: values for member, values in made.items()}
    assert found.keys() >= {path for path in paths(documents) if values_at(documents, path)}
    assert found.keys() <= paths(documents) | empty(documents)
    for member, values in made.items():
        assert member.type == type_of(values_at(documents, member.path))
        for document, value in zip(documents, values, strict=True):
            assert reads_as(value, at(document, member.path), member.type), (member, document, value)


def values_at(documents: list[dict[str, Any]], path: tuple[str, ...]) -> list[Any]:
    return [value for one in documents if (value := at(one, path)) is not NOTHING and value is not None]


def empty(documents: list[Any], path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Paths at which an object without members stands."""
    found = set()
    for value in documents:
        if value == {} and path:
            found.add(path)
        elif isinstance(value, dict):
            for name, member in value.items():
                found |= empty([member], (*path, name))
    return found


def test_no_two_columns_have_one_name_whatever_their_case(tmp_path: Path) -> None:
    made, _ = columns(tmp_path, [[{"a": 1, "A": 2, "b.c": 3, "b": {"c": 4}, "ß": 5, "ẞ": 6}]])
    assert {member.name: values for member, values in made.items()} == {
        "payload.a": [1],
        "payload.A (2)": [2],
        "payload.b.c": [3],
        "payload.b.c (2)": [4],
        "payload.ß": [5],
        "payload.ẞ (2)": [6],
    }


def test_numbers_and_texts_at_one_path_are_texts(tmp_path: Path) -> None:
    made, _ = columns(tmp_path, [[{"a": 7}, {"a": 7.5}], [{"a": "7"}, {"a": "bad"}, {"a": [1, {"b": 2}]}]])
    [(member, values)] = made.items()
    assert (member.type, values) == ("VARCHAR", ["7", "7.5", "7", "bad", '[1,{"b":2}]'])


def test_what_duckdb_deletes_late_of_an_attempt_that_failed_is_not_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = list[str]()

    class Connection:
        """Deletes what it failed to write when it has written something else."""

        def __init__(self, connection: Any) -> None:
            self._connection = connection
            self._failed = list[str]()

        def execute(self, sql: str, *parameters: Any) -> Any:
            path = sql.rpartition(" TO '")[2].partition("'")[0] if sql.startswith("COPY") else ""
            try:
                found = self._connection.execute(sql, *parameters)
            except duckdb.Error:
                self._failed.append(path)
                raise
            if path:
                written.append(path)
                for failed in self._failed:
                    Path(failed).unlink(missing_ok=True)
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

    @contextmanager
    def connect(*arguments: Any) -> Iterator[Any]:
        with table.connect(*arguments) as connection:
            yield Connection(connection)

    monkeypatch.setattr(flattening, "connect", connect)
    made, _ = columns(tmp_path, [[{"a": 1 << 63}], [{"a": 1}, {"a": 1 << 63}]])
    assert list(made.values()) == [[1 << 63, 1, 1 << 63]]
    assert len(written) == 2


def test_a_number_beyond_all_is_left_empty_and_said_to_be(tmp_path: Path) -> None:
    made, members = columns(tmp_path, [[{"a": 0.5}, {"a": 10**400}, {"a": 1}]])
    assert list(made.values()) == [[0.5, None, 1.0]]
    assert members.notes() == ["payload.a: numbers beyond 1.8e308 are left empty."]


def test_objects_with_ids_as_names_are_one_column_of_json(tmp_path: Path) -> None:
    documents = [{"kind": "x", "by_id": {f"user-{n}": {"points": n}}} for n in range(1000)]
    made, members = columns(tmp_path, [documents, [{"by_id": {}}, {"by_id": None}]])
    values = {member.name: values for member, values in made.items()}
    assert values["payload.by_id"] == [*(f'{{"user-{n}":{{"points":{n}}}}}' for n in range(1000)), "{}", None]
    assert values.keys() == {"payload.kind", "payload.by_id"}
    assert members.notes() == ["payload.by_id: objects with too many names, left as JSON."]


def test_names_that_keep_coming_are_left_out_and_counted(tmp_path: Path) -> None:
    chunks = [[{f"name-{n}": n, "last": n}] for n in range(30)]
    made, members = columns(tmp_path, chunks, most=10)
    assert len(made) == 10
    assert members.notes() == [
        "21 members have no column, as there are at most 10, and 200 with rare ones: payload.name-9, payload.name-10,"
        " payload.name-11, payload.name-12, payload.name-13…"
    ]


def test_an_object_of_many_names_that_all_have_is_taken_apart(tmp_path: Path) -> None:
    made, members = columns(tmp_path, [[{"tags": {f"tag-{n}": n for n in range(300)}}] * 3])
    assert len(made) == 300
    assert members.notes() == []


def test_beside_many_names_the_rare_have_no_column(tmp_path: Path) -> None:
    documents = [{"often": n, f"once-{n}": n, "at_last": n > 900} for n in range(1000)]
    made, _ = columns(tmp_path, [documents])
    assert len(made) == 200
    assert [member.name for member in made][:2] == ["payload.often", "payload.at_last"]
