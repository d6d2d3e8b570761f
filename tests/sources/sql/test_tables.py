"""What holds for every server: tables, queries, cursors, limits."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sources.definition import RunLimits
from sources.errors import BadDefinition, LimitExceeded
from tests.sources.sql.conftest import Ask
from tests.sources.sql.servers import Database

ORDERS = "CREATE TABLE orders (id integer, changed {time}, title varchar(50))"


def make_orders(shop: Database, *rows: tuple[Any, Any, str]) -> None:
    shop.run(ORDERS.format(time="timestamp(6) NULL" if shop.scheme == "mysql" else "timestamptz"))
    add_orders(shop, *rows)


def add_orders(shop: Database, *rows: tuple[Any, Any, str]) -> None:
    for number, changed, title in rows:
        moment = "NULL" if changed is None else f"'2026-01-0{changed} 10:00:00'"
        shop.run(f"INSERT INTO orders VALUES ({number}, {moment}, '{title}')")


def titles(rows: Any) -> list[str]:
    return [row["title"] for row in rows]


def test_a_table_is_read(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, (1, 1, "café 😀"), (2, None, ""))
    assert list(ask_shop(table="orders")) == [
        {"id": 1, "changed": "2026-01-01T10:00:00+00:00", "title": "café 😀"}
        if shop.scheme == "postgresql"
        else {"id": 1, "changed": "2026-01-01T10:00:00.000000+00:00", "title": "café 😀"},
        {"id": 2, "changed": None, "title": ""},
    ]


def test_the_second_run_gives_what_is_new(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, (1, 2, "b"), (2, 1, "a"), (3, 2, "c"))
    query = ask_shop(table="orders", cursor_column="changed")
    assert titles(query) in (["a", "b", "c"], ["a", "c", "b"])
    add_orders(shop, (4, 2, "shares the last time"), (5, 3, "later"))
    again = ask_shop(table="orders", cursor_column="changed", state=query.state)
    assert titles(again) == ["shares the last time", "later"]
    assert titles(ask_shop(table="orders", cursor_column="changed", state=again.state)) == []


def test_a_changed_row_with_the_same_time_comes_again(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, (1, 1, "old"))
    query = ask_shop(table="orders", cursor_column="changed")
    list(query)
    shop.run("UPDATE orders SET title = 'new', changed = changed")
    assert titles(ask_shop(table="orders", cursor_column="changed", state=query.state)) == ["new"]


def test_rows_without_a_cursor_come_first_and_once(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, (1, 1, "a"), (2, None, "never changed"))
    query = ask_shop(table="orders", cursor_column="changed")
    assert titles(query) == ["never changed", "a"]
    add_orders(shop, (3, 2, "b"))
    assert titles(ask_shop(table="orders", cursor_column="changed", state=query.state)) == ["b"]


def test_a_run_that_stops_goes_on_where_it_stopped(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, *((number, number, str(number)) for number in range(1, 8)))
    with ask_shop(table="orders", cursor_column="id") as query:
        assert [next(query)["id"] for _ in range(3)] == [1, 2, 3]
        state = query.state
    assert [row["id"] for row in ask_shop(table="orders", cursor_column="id", state=state)] == [4, 5, 6, 7]


@pytest.mark.parametrize(("column", "lookback", "expected"), [("changed", 90_000, "bcd"), ("id", 1, "bcd")])
def test_a_lookback_gives_late_rows_another_chance(
    shop: Database, ask_shop: Ask, column: str, lookback: float, expected: str
) -> None:
    make_orders(shop, (1, 1, "a"), (3, 3, "c"))
    spec = {"table": "orders", "cursor_column": column, "lookback_seconds": lookback}
    query = ask_shop(**spec)
    list(query)
    add_orders(shop, (2, 2, "b"), (4, 4, "d"))
    assert "".join(titles(ask_shop(**spec, state=query.state))) == expected


def test_an_empty_answer_leaves_the_state_as_it_is(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, (1, 1, "a"))
    query = ask_shop(table="orders", cursor_column="changed")
    list(query)
    shop.run("DELETE FROM orders")
    again = ask_shop(table="orders", cursor_column="changed", state={**query.state, "etag": "x"})
    assert list(again) == []
    assert again.state == {**query.state, "etag": "x"}


def test_decimals_stay_exact_as_cursors(shop: Database, ask_shop: Ask) -> None:
    shop.run("CREATE TABLE t (v decimal(30, 5))", "INSERT INTO t VALUES (123456789012345678901234.00001), (1)")
    query = ask_shop(table="t", cursor_column="v")
    list(query)
    assert query.state["cursor"] == {"decimal": "123456789012345678901234.00001"}
    shop.run("INSERT INTO t VALUES (123456789012345678901234.00002), (123456789012345678901234)")
    again = ask_shop(table="t", cursor_column="v", state=query.state)
    assert [str(row["v"]) for row in again] == ["123456789012345678901234.00002"]


def test_a_window_is_read_without_moving_the_cursor(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, *((number, number, str(number)) for number in range(1, 6)))
    window = (datetime(2026, 1, 2, 10, tzinfo=UTC), datetime(2026, 1, 4, 10, tzinfo=UTC))
    query = ask_shop(table="orders", cursor_column="changed", window=window, state={"cursor": "x"})
    assert titles(query) == ["2", "3"]
    assert query.state == {"cursor": "x"}
    asked = ask_shop(
        query="SELECT * FROM orders WHERE changed >= :window_start AND changed < :window_end ORDER BY id",
        window=window,
    )
    assert titles(asked) == ["2", "3"]


def test_a_query_is_asked_for_what_is_new_by_itself(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, (2, 2, "100% b"), (1, 1, "100% a"), (3, 1, "other"))
    spec = {
        "query": "-- of all orders\nSELECT id, title FROM orders WHERE title LIKE '100%%' OR title LIKE '100% _'; ",
        "cursor_column": "id",
    }
    query = ask_shop(**spec)
    assert titles(query) == ["100% a", "100% b"]
    add_orders(shop, (9, 1, "100% c"))
    assert titles(ask_shop(**spec, state=query.state)) == ["100% c"]


def test_a_query_may_use_the_cursor_itself(shop: Database, ask_shop: Ask) -> None:
    """It is NULL at first."""
    make_orders(shop, (1, 1, "a"), (2, 2, "b"), (3, 3, "c"))
    kind = "datetime(6)" if shop.scheme == "mysql" else "timestamptz"
    spec = {
        "query": f"SELECT * FROM orders WHERE CAST(:cursor AS {kind}) IS NULL OR changed > CAST(:cursor AS {kind})",
        "cursor_column": "changed",
    }
    query = ask_shop(**spec)
    assert titles(query) == ["a", "b", "c"]
    add_orders(shop, (4, 4, "d"))
    assert titles(ask_shop(**spec, state=query.state)) == ["d"]


def test_a_query_that_would_write_is_refused(shop: Database, ask_shop: Ask) -> None:
    make_orders(shop, (1, 1, "a"))
    for query in (
        "DELETE FROM orders",
        "/*! DELETE FROM orders */",
        "SELECT 1; DELETE FROM orders",
        "SELECT 1; COMMIT; DELETE FROM orders",
        "SELECT * FROM orders FOR UPDATE",
        "",
    ):
        with pytest.raises(BadDefinition):
            list(ask_shop(query=query))
    assert shop.run("SELECT count(*) FROM orders") == [(1,)]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"table": "nothing"}, "nothing"),
        ({"table": "orders; DROP TABLE orders"}, "says"),
        ({"table": 'orders" WHERE 1=1 --'}, "says"),
        ({"table": "orders` WHERE 1=1 -- "}, "says"),
        ({"table": "a.b.c"}, "schema.name"),
        ({"table": "orders", "cursor_column": "nothing"}, "nothing"),
        ({"table": "orders", "query": "SELECT 1"}, "not both"),
        ({}, "must be given"),
        ({"query": "SELECT frm orders WHERE"}, "syntax"),
        ({"query": "SELECT 1 WHERE :x = 1"}, ":x"),
        ({"query": "SELECT 1 AS a, 2 AS a"}, "more than once"),
        ({"table": "orders", "secret": "missing"}, "no secret 'missing'"),
    ],
)
def test_it_says_what_is_wrong_with_a_definition(
    shop: Database, ask_shop: Ask, spec: dict[str, str], complaint: str
) -> None:
    make_orders(shop, (1, 1, "a"))
    with pytest.raises(BadDefinition, match=complaint):
        list(ask_shop(**spec))


def test_too_many_bytes_fail_the_run(shop: Database, ask_shop: Ask) -> None:
    spec = {"query": f"SELECT '{'x' * 1000}' AS a"}
    assert list(ask_shop(**spec, limits=RunLimits(bytes=1000)))
    with pytest.raises(LimitExceeded, match="more than 999 bytes"):
        list(ask_shop(**spec, limits=RunLimits(bytes=999)))


def test_names_are_taken_to_the_letter(shop: Database, ask_shop: Ask) -> None:
    quote = "`" if shop.scheme == "mysql" else '"'
    name, column = f"{quote}Order %s; x{quote}", f"{quote}Chan%ged At{quote}"
    shop.run(f"CREATE TABLE {name} (id int, {column} int)", f"INSERT INTO {name} VALUES (1, 7)")
    query = ask_shop(table="Order %s; x", cursor_column="Chan%ged At", state={"cursor": 7})
    assert list(query) == [{"id": 1, "Chan%ged At": 7}]
