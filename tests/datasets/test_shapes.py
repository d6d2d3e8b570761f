"""Texts of a known shape are passed over: then the columns are the same as if all had been looked at."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datasets.engine.members import Members
from datasets.engine.shapes import Shapes
from datasets.engine.table import connect
from tests.datasets.flattening import MEMORY_BYTES, chunk, columns
from tests.datasets.test_flattening import DOCUMENTS

ALIKE = st.lists(DOCUMENTS, min_size=1, max_size=4).flatmap(
    lambda pool: st.lists(
        st.lists(st.sampled_from(pool) | st.sampled_from(pool) | DOCUMENTS, max_size=5), min_size=2, max_size=4
    )
)
KNOWN = {"a": 1, "b": {"c": "x", "d": [1]}, "e": None}


@given(ALIKE)
@example([[{"a": [5]}, {"a": {"0": 1}}], [{"a": [5], "z": 1}]])
@example([[{"a": 1}], [{"a": 1}], [{"a": {}}], [{"a": {"b": 1}}], [{"a": {"c": 1}}]])
@example([[{"a": 1, "b": 2}], [{"a": 1, "c": 'x":'}], [{"a": 1, "c": "x"}]])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_columns_are_those_of_looking_at_every_text(chunks: list[list[dict[str, Any]]]) -> None:
    found = []
    for shapes in (None, Shapes("payload")):
        with tempfile.TemporaryDirectory() as folder:
            made, members = columns(Path(folder), chunks, shapes=shapes)
        found.append(([(member.name, member.type, values) for member, values in made.items()], members.notes()))
    assert repr(found[0]) == repr(found[1])


@pytest.mark.parametrize(
    ("document", "is_new"),
    [
        (KNOWN, False),
        ({"a": 7, "b": {"c": "", "d": ["y", None]}, "e": None}, False),
        ({**KNOWN, "a": 1.5}, True),
        ({**KNOWN, "e": 5}, True),
        ({**KNOWN, "z": 5}, True),
        ({**KNOWN, "b": {"c": "x", "d": [1], "z": 1}}, True),
        ({**KNOWN, "b": {"c": "x", "d": [{"z": 1}]}}, True),
        ({**KNOWN, "b": {}}, True),
        ({"a": 1, "z": {"c": "x", "d": [1]}, "e": None}, True),
        ({**KNOWN, "b": {"c": 'a":', "d": [1]}}, True),
        ([], True),
    ],
)
def test_what_may_tell_something_new_is_looked_at(document: Any, is_new: bool, tmp_path: Path) -> None:
    assert looked_at([KNOWN], document, tmp_path) is is_new


def test_where_a_name_could_be_a_place_in_a_list_all_texts_are_looked_at(tmp_path: Path) -> None:
    assert looked_at([{"a": {"0": 1}}], {"a": {"0": 1}}, tmp_path)


def test_where_there_are_many_members_all_texts_are_looked_at(tmp_path: Path) -> None:
    wide = {f"m{number}": 1 for number in range(51)}
    assert looked_at([wide], wide, tmp_path)


def looked_at(learnt: list[Any], document: Any, folder: Path) -> bool:
    shapes, members = Shapes("payload"), Members("payload", 1000)
    with connect(MEMORY_BYTES, 2, folder) as connection:
        connection.register("learnt", chunk(learnt))
        members.add(connection.execute("SELECT json_structure(payload), count(*) FROM learnt GROUP BY 1").fetchall())
        shapes.learn(connection, "learnt", members)
        connection.register("others", chunk([document]))
        return bool(connection.execute(f"SELECT 1 FROM {shapes.new('others')}").fetchall())
