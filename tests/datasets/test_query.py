"""What SQL over a dataset answers."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from datasets.errors import Refused
from datasets.kinds.query import QueryParameters
from tests.datasets.queries import READINGS, ask, rows, snapshot_of, value
from tests.datasets.tables import write_query


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    return snapshot_of(tmp_path)


def test_it_answers_with_columns_and_rows(readings: Path) -> None:
    assert ask(readings, "SELECT type, count(*) AS n FROM data GROUP BY ALL") == {
        "columns": [{"name": "type", "type": "VARCHAR"}, {"name": "n", "type": "BIGINT"}],
        "rows": [["reading", 12]],
        "row_count": 1,
        "truncated": False,
    }


def test_the_snapshots_columns_go_by_their_names(readings: Path) -> None:
    assert value(readings, 'SELECT max("payload.temperature") FROM data') == 5.5


def test_it_gives_as_many_rows_as_are_asked_for_and_says_that_there_are_more(readings: Path) -> None:
    some = ask(readings, "SELECT range FROM range(100) ORDER BY range", limit=10)
    assert (some["row_count"], some["truncated"], some["rows"][-1]) == (10, True, [9])
    assert not ask(readings, "SELECT range FROM range(10)", limit=10)["truncated"]


def test_an_answer_without_end_takes_no_more_than_its_rows(readings: Path) -> None:
    assert ask(readings, "SELECT range * 2 FROM range(1000000000000)", limit=10_000)["row_count"] == 10_000


def test_rows_come_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    where = write_query(tmp_path, "SELECT hash(range) AS n FROM range(300000)", parts=3)
    numbers = [int(number) for (number,) in ask(where, "SELECT n FROM data ORDER BY n DESC", limit=10_000)["rows"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 10_000


def test_columns_may_share_a_name(readings: Path) -> None:
    answer = ask(readings, "SELECT 1 AS a, 2 AS a")
    assert [column["name"] for column in answer["columns"]] == ["a", "a"]
    assert answer["rows"] == [[1, 2]]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1;", [[1]]),
        ("SELECT ';' -- with a remark; and no end of line", [[";"]]),
        ("SELECT $$;$$ || e'\\'' || 1 AS \"a;b\" ;", [[";'1"]]),
        ("FROM range(2) -- x\n; /* y */ ;", [[0], [1]]),
        ("WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 FROM a) FROM b", [[2]]),
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t", [[1], [2], [3]]),
        ("VALUES (1, 'a'), (2, 'b')", [[1, "a"], [2, "b"]]),
        ("SELECT count(*) FROM data d1 JOIN data d2 USING (type)", [[144]]),
        ("SELECT (SELECT count(*) FROM data WHERE type = 'reading')", [[12]]),
        ("SELECT row_number() OVER (ORDER BY range DESC) FROM range(2) ORDER BY 1", [[1], [2]]),
        ("SELECT list_transform([1, 2], lambda x: x + 1)", [[[2, 3]]]),
        ("FROM (SELECT type FROM data) PIVOT (count(*) FOR type IN ('reading', 'other'))", [[12, 0]]),
        ("SELECT unnest([1, 2])", [[1], [2]]),
        ("SELECT 'ä'::VARCHAR AS \"ö\" WHERE true", [["ä"]]),
        ("SELECT * EXCLUDE (type) FROM (SELECT type, 1 FROM data LIMIT 1)", [[1]]),
    ],
)
def test_it_takes_what_reads(readings: Path, sql: str, expected: object) -> None:
    assert rows(readings, sql) == expected


def test_describe_and_summarize_tell_of_the_columns(readings: Path) -> None:
    assert [row[:2] for row in rows(readings, "DESCRIBE data")] == [
        ["type", "VARCHAR"],
        ["payload.device", "VARCHAR"],
        ["payload.temperature", "DOUBLE"],
        ["payload.at.room", "BIGINT"],
    ]
    assert [row[10] for row in rows(readings, "SUMMARIZE data")] == [12] * 4


def test_groups_are_those_that_python_counts(tmp_path: Path) -> None:
    draw = random.Random(7)
    made: list[dict[str, Any]] = [
        {"payload.key": draw.choice("abc"), "payload.n": draw.randrange(100)} for _ in range(500)
    ]
    where = snapshot_of(tmp_path, made)
    found = rows(where, "SELECT payload.key, count(*), sum(payload.n) FROM data GROUP BY ALL ORDER BY 1")
    by_key = {key: [row["payload.n"] for row in made if row["payload.key"] == key] for key in "abc"}
    assert found == [[key, len(some), sum(some)] for key, some in by_key.items()]


def test_a_dataset_without_rows_has_columns_still(tmp_path: Path) -> None:
    answer = ask(snapshot_of(tmp_path, [], types={"payload.a": "BIGINT"}), "SELECT payload.a FROM data")
    assert (answer["columns"], answer["rows"]) == ([{"name": "a", "type": "BIGINT"}], [])


@pytest.mark.parametrize(
    "parameters", [{}, {"sql": ""}, {"sql": "x" * 20_001}, {"sql": "SELECT 1", "limit": 10_001}, {"sql": 1}]
)
def test_parameters_have_bounds(parameters: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(parameters, QueryParameters)


def test_all_columns_of_the_readings_come_back(readings: Path) -> None:
    answer = ask(readings, "FROM data ORDER BY payload.temperature")
    names = [column["name"] for column in answer["columns"]]
    assert [dict(zip(names, row, strict=True)) for row in answer["rows"]] == list(READINGS)


def test_a_member_that_there_is_not_is_called_so(readings: Path) -> None:
    with pytest.raises(Refused, match="payload has no such member: DESCRIBE data lists the columns"):
        ask(readings, "SELECT payload.nothing FROM data")
