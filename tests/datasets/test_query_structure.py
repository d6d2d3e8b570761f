"""Members of payloads and values by dots, without quotes."""

from pathlib import Path

import duckdb
import pytest

from datasets.engine.statement import examine
from datasets.engine.structure import packed
from datasets.errors import Refused
from tests.datasets.queries import ask, rows, snapshot_of, value

READING = {"payload.device": "d1", "payload.at.room": 7, "payload.at.floor": 2}


def of(columns: list[str], sql: str) -> str:
    return packed(columns, "payload", examine(duckdb.connect(), sql))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT payload.device FROM data", "d1"),
        ("SELECT data.payload.at.room FROM data", 7),
        ("SELECT d.Payload.DEVICE FROM data d", "d1"),
        ("SELECT payload['device'] FROM data", "d1"),
        ("SELECT payload.device.upper() FROM data", "D1"),
        ("SELECT payload.at FROM data", {"room": 7, "floor": 2}),
        ("SELECT payload FROM data", {"device": "d1", "at": {"room": 7, "floor": 2}}),
        ("WITH a AS (SELECT payload AS p FROM data) SELECT p.at.floor FROM a", 2),
        ("SELECT max(payload.at.room) FROM data WHERE payload.device = 'd1' HAVING max(payload.at.floor) > 1", 7),
        ("SELECT list_transform([1], lambda x: x + payload.at.room) FROM data", [8]),
    ],
)
def test_members_are_named_by_dots(tmp_path: Path, sql: str, expected: object) -> None:
    assert value(snapshot_of(tmp_path, [READING]), sql) == expected


def test_the_value_of_records_is_one_too(tmp_path: Path) -> None:
    assert value(snapshot_of(tmp_path, [{"value.price": 3}], kind="records"), "SELECT value.price FROM data") == 3


def test_files_have_none(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="payload"):
        ask(snapshot_of(tmp_path, [READING], kind="upload"), "SELECT payload.device FROM data")


@pytest.mark.parametrize(
    "sql", ["FROM data", "SELECT * FROM data WHERE payload.device = 'd1'", "SELECT data.* FROM data"]
)
def test_a_star_shows_the_columns_alone(tmp_path: Path, sql: str) -> None:
    answer = ask(snapshot_of(tmp_path, [READING]), sql)
    assert [column["name"] for column in answer["columns"]] == list(READING)
    assert answer["rows"] == [list(READING.values())]


def test_a_star_shows_what_is_asked_for_beside_it(tmp_path: Path) -> None:
    answer = ask(snapshot_of(tmp_path, [READING]), "SELECT *, payload FROM data")
    assert [column["name"] for column in answer["columns"]][-1] == "payload"


def test_a_member_that_is_a_value_here_and_an_object_there_has_both(tmp_path: Path) -> None:
    where = snapshot_of(tmp_path, [{"payload.a.b": 1, "payload.a": 2, "payload.a.b.c": 3}])
    assert rows(where, 'SELECT payload.a, payload."a.b", payload."a.b.c" FROM data') == [[2, 1, 3]]


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("payload.two words", 'payload."two words"'),
        ('payload.a"b', 'payload."a""b"'),
        ("payload..a", 'payload.".a"'),
        ("payload.a.", 'payload."a."'),
        ("payload.select", "payload.select"),
        ("payload.ä.ö", "payload.ä.ö"),
    ],
)
def test_odd_names_have_a_way(tmp_path: Path, name: str, sql: str) -> None:
    assert value(snapshot_of(tmp_path, [{name: 5}]), f"SELECT {sql} FROM data") == 5


def test_no_more_is_read_than_what_is_named() -> None:
    columns = ["id", "payload.a", "payload.b", "payload.c.d"]
    assert of(columns, "SELECT payload.b FROM data") == 'struct_pack("b" := "payload.b")'
    assert of(columns, "SELECT id, payload.C.d FROM data") == 'struct_pack("c" := struct_pack("d" := "payload.c.d"))'
    assert of(columns, "SELECT id FROM data") == ""
    assert of(columns, "SELECT * FROM data") == ""
    assert of(columns, "SELECT count(payload) FROM data").count(":=") == 4


def test_names_that_differ_by_case_alone_are_one_member() -> None:
    assert of(["payload.a", "payload.A"], "SELECT payload FROM data") == 'struct_pack("a" := "payload.a")'


def test_a_column_of_that_name_stays() -> None:
    assert of(["payload", "payload.a"], "SELECT payload FROM data") == ""
    assert of(["payload."], "SELECT payload FROM data") == ""
