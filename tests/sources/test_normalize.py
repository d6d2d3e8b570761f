from collections.abc import Iterator
from typing import Any

import pandas  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.definition import Normalize
from sources.errors import BadDefinition, RowRejected
from sources.normalize import make_normalizer

CHECKED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# The examples of the documentation of pandas.json_normalize
PEOPLE = [
    {"id": 1, "name": {"first": "Coleen", "last": "Volk"}},
    {"name": {"given": "Mark", "family": "Regner"}},
    {"id": 2, "name": "Faye Raker"},
]
FITNESS = [
    {"id": 1, "name": "Cole Volk", "fitness": {"height": 130, "weight": 60}},
    {"name": "Mark Reg", "fitness": {"height": 130, "weight": 60}},
    {"id": 2, "name": "Faye Raker", "fitness": {"height": 130, "weight": 60}},
]
STATES = [
    {
        "state": "Florida",
        "shortname": "FL",
        "info": {"governor": "Rick Scott"},
        "counties": [
            {"name": "Dade", "population": 12345},
            {"name": "Broward", "population": 40000},
            {"name": "Palm Beach", "population": 60000},
        ],
    },
    {
        "state": "Ohio",
        "shortname": "OH",
        "info": {"governor": "John Kasich"},
        "counties": [{"name": "Summit", "population": 1234}, {"name": "Cuyahoga", "population": 1337}],
    },
]

names = st.text("abc._-é ", min_size=1, max_size=3)
leaves: st.SearchStrategy[Any] = st.one_of(
    st.integers(), st.text(max_size=3), st.booleans(), st.lists(st.integers() | st.just({}), max_size=2)
)
nested = st.recursive(leaves, lambda values: st.dictionaries(names, values, max_size=3), max_leaves=12)
rows_of_any_depth = st.dictionaries(names, nested, max_size=4)


def normalized(rows: list[dict[str, Any]], **spec: Any) -> list[dict[str, Any]]:
    normalize = make_normalizer(Normalize(**spec))
    return [row for given_row in rows for row in normalize(given_row)]


def by_pandas(data: list[dict[str, Any]], **arguments: Any) -> list[dict[str, Any]]:
    """The rows of the frame, without what is missing in them."""
    frame = pandas.json_normalize(data, **arguments).astype(object)
    return [
        {name: value for name, value in row.items() if isinstance(value, list | dict) or not pandas.isna(value)}
        for row in frame.to_dict("records")
    ]


@pytest.mark.parametrize("depth", [None, 0, 1, 2])
@pytest.mark.parametrize("data", [PEOPLE, FITNESS, STATES])
def test_it_flattens_the_examples_of_pandas_as_pandas_does(data: list[dict[str, Any]], depth: int | None) -> None:
    assert normalized(data, depth=depth) == by_pandas(data, max_level=depth)


@CHECKED
@given(rows_of_any_depth, st.sampled_from([".", "_", "__", "/"]), st.none() | st.integers(0, 3))
def test_it_flattens_as_pandas_does_or_says_which_names_collide(
    row: dict[str, Any], separator: str, depth: int | None
) -> None:
    joined = list(paths(row, separator, depth))
    if len(set(joined)) < len(joined):
        with pytest.raises(RowRejected):
            normalized([row], separator=separator, depth=depth)
    else:
        expected = by_pandas([row], sep=separator, max_level=depth) if joined else [{}]
        assert normalized([row], separator=separator, depth=depth) == expected


def paths(row: dict[str, Any], separator: str, depth: int | None, prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, dict) and depth != 0:
            yield from paths(value, separator, None if depth is None else depth - 1, f"{prefix}{name}{separator}")
        else:
            yield prefix + name


def test_two_members_of_one_name_reject_the_row() -> None:
    with pytest.raises(RowRejected, match=r"'a\.b' after flattening.*choose another") as caught:
        normalized([{"a": {"b": 1}, "a.b": 2}])
    assert caught.value.code == "name_collision"
    assert normalized([{"a": {"b": 1}, "a.b": 2}], separator="_") == [{"a_b": 1, "a.b": 2}]


def test_an_endless_nesting_rejects_the_row() -> None:
    row: dict[str, Any] = {}
    for _ in range(100_000):
        row = {"a": row}
    with pytest.raises(RowRejected) as caught:
        normalized([row])
    assert caught.value.code == "too_deep"


def test_rows_that_need_no_change_are_not_copied() -> None:
    row = {"a": 1, "b": [{"c": 2}]}
    for normalize in (make_normalizer(None), make_normalizer(Normalize()), make_normalizer(Normalize(explode=["x"]))):
        [same] = normalize(row)
        assert same is row


def test_it_changes_nothing_in_place() -> None:
    row = {"a": {"b": [1, 2], "c": 3}}
    assert normalized([row], explode=["a.b"]) == [{"a.b": 1, "a.c": 3}, {"a.b": 2, "a.c": 3}]
    assert row == {"a": {"b": [1, 2], "c": 3}}


# Exploding


def test_exploding_is_json_normalize_with_a_record_path_and_all_the_rest_as_meta() -> None:
    expected = by_pandas(
        STATES, record_path="counties", meta=["state", "shortname", ["info", "governor"]], record_prefix="counties."
    )
    assert normalized(STATES, explode=["counties"]) == expected


def test_lists_in_lists_are_exploded_in_order() -> None:
    data = [
        {"id": 1, "event": [{"day": "mon", "zone": [{"n": 1}, {"n": 2}]}, {"day": "tue", "zone": [{"n": 3}]}]},
        {"id": 2, "event": [{"day": "wed", "zone": [{"n": 4}]}]},
    ]
    expected = by_pandas(
        data, record_path=["event", "zone"], meta=["id", ["event", "day"]], record_prefix="event.zone."
    )
    assert normalized(data, explode=["event", "event.zone"]) == expected


elements = st.lists(st.integers(0, 9) | st.just({"x": 1}), max_size=3)


@CHECKED
@given(st.lists(st.fixed_dictionaries({"id": st.integers(0, 9), "a": elements | st.none() | st.integers(10, 19)})))
def test_exploding_is_that_of_a_frame(data: list[dict[str, Any]]) -> None:
    frame = pandas.DataFrame(data, columns=["id", "a"], dtype=object).explode("a")
    expected = [
        {"id": row["id"], "a": None if row["a"] is None or row["a"] != row["a"] else row["a"]}
        for row in frame.to_dict("records")
    ]
    assert normalized(data, explode=["a"], flatten=False) == expected


def test_an_empty_list_leaves_the_row_with_null() -> None:
    assert normalized([{"id": 1, "a": []}], explode=["a"]) == [{"id": 1, "a": None}]
    assert normalized([{"id": 1, "a": {"b": []}}], explode=["a.b"]) == [{"id": 1, "a.b": None}]


@pytest.mark.parametrize("row", [{"id": 1}, {"a": None}, {"a": 5}, {"a": {"b": 1}}, {"a": "[1]"}])
def test_what_is_no_list_stays_as_it_is(row: dict[str, Any]) -> None:
    assert normalized([row], explode=["a"], flatten=False) == [row]


def test_two_lists_beside_each_other_give_every_pair() -> None:
    rows = normalized([{"a": [1, 2], "b": ["x", "y"]}], explode=["a", "b"])
    assert [(row["a"], row["b"]) for row in rows] == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]


def test_lists_that_are_not_exploded_stay_lists() -> None:
    assert normalized([{"a": [1, {"b": 2}], "c": {"d": []}}]) == [{"a": [1, {"b": 2}], "c.d": []}]


def test_exploding_costs_memory_for_one_row_at_a_time() -> None:
    rows = iter(make_normalizer(Normalize(explode=["a", "b"]))({"a": [0] * 100_000, "b": [0] * 100_000}))
    assert next(rows) == {"a": 0, "b": 0}


def test_the_elements_after_a_rejected_one_can_still_be_had() -> None:
    row = {"a": [{"b": 1}, {"b": {"c": 1}, "b.c": 2}, {"b": 3}]}
    rows = iter(make_normalizer(Normalize(explode=["a"]))(row))
    assert next(rows) == {"a.b": 1}
    with pytest.raises(RowRejected):
        next(rows)
    assert next(rows) == {"a.b": 3}


def test_the_whole_row_cannot_be_exploded() -> None:
    with pytest.raises(BadDefinition, match="/normalize/explode/1"):
        make_normalizer(Normalize(explode=["a", ""]))
