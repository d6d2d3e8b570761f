import pytest

from sources.paths import MISSING, getter, tracer


@pytest.mark.parametrize(
    ("path", "row", "found"),
    [
        ("a", {"a": 1}, 1),
        ("a", {"a": None}, None),
        ("a", {}, MISSING),
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a": {}}, MISSING),
        ("a.b", {"a": None}, MISSING),
        ("a.b", {"a": [{"b": 1}]}, MISSING),
        ("a.b", {"a": "text"}, MISSING),
        ("a.b.c", {"a": {"b": {"c": 1}}}, 1),
        ("a.b.c", {"a": {"b": {}}}, MISSING),
        ("-a.@b", {"-a": {"@b": 1}}, 1),
    ],
)
def test_a_path_leads_through_objects(path: str, row: dict[str, object], found: object) -> None:
    assert getter(path)(row) is found or getter(path)(row) == found


@pytest.mark.parametrize(
    ("path", "row", "found"),
    [
        ("a.b", {"a.b": 1, "a": {"b": 2}}, 1),
        ("a.b", {"a.b": None, "a": {"b": 2}}, None),
        ("a.b.c", {"a.b.c": 1, "a": {"b": {"c": 2}}}, 1),
        ("a.b.c", {"a.b": {"c": 1}}, 1),
        ("a.b.c", {"a": {"b.c": 1}}, 1),
        ("a.b.c.d", {"a": {"b.c": {"d": 1}}}, 1),
    ],
)
def test_a_member_with_dots_in_its_name_wins(path: str, row: dict[str, object], found: object) -> None:
    assert getter(path)(row) == found


def test_there_is_no_way_back_from_the_longest_name() -> None:
    assert getter("a.b.c")({"a.b": 1, "a": {"b": {"c": 2}}}) is MISSING


def test_the_empty_path_is_the_row() -> None:
    row = {"a": 1}
    assert getter("")(row) is row


def test_a_member_with_an_empty_name_can_be_reached() -> None:
    assert getter("a.")({"a": {"": 1}}) == 1


def test_a_trail_names_the_objects_on_the_way() -> None:
    row = {"a": {"b": {"c": 1}}}
    assert tracer("a.b.c")(row) == [(row, "a"), (row["a"], "b"), (row["a"]["b"], "c")]
    assert tracer("a.x.c")(row) == []
