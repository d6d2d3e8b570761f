"""Rows on their way through the steps: some at once, and each with what becomes of it."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from sources.definition import Definition
from sources.errors import LimitExceeded, SourceError
from sources.pipeline import ROWS_AT_ONCE, Pipeline
from sources.rows import Item, Rejected, Row
from sources.tally import Tally

NUMBER = {"to": "n", "from": "n", "type": "integer"}


def pipeline(**parts: Any) -> Pipeline:
    extract = {"kind": "http", "url": "https://example.org/a.csv"}
    document = {"version": 1, "extract": extract, "load": {"kind": "append", "stream": "s"}, **parts}
    return Pipeline(msgspec.convert(document, Definition))


def texts(number: int, **others: str) -> list[Item]:
    return [{"n": others.get(f"n{at}", str(at))} for at in range(number)]


def numbers(rows: Iterator[Row]) -> list[int]:
    return [row["n"] for row in rows]


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE])
def test_all_rows_come_out_in_their_order(count: int) -> None:
    tally = Tally()
    assert numbers(pipeline(map=[NUMBER]).rows(texts(count), tally)) == list(range(count))
    assert tally.counts["decoded"] == count


def test_a_row_that_is_rejected_costs_those_beside_it_nothing() -> None:
    tally = Tally()
    passed = numbers(pipeline(map=[NUMBER]).rows(texts(100, n3="three", n70=""), tally))
    assert passed == [at if at != 70 else None for at in range(100) if at != 3]
    assert dict(tally.reasons) == {"map: bad_integer": 1}
    assert tally.samples[0]["row"] == '{"n":"three"}'


def test_items_that_were_no_rows_and_rows_that_are_filtered_are_counted() -> None:
    tally = Tally()
    items = [*texts(50), Rejected("decode", "ragged_row", "line 51 has 2 fields, not 1", []), *texts(50)]
    steps = pipeline(map=[NUMBER], filter={"field": "n", "op": "lt", "value": 10})
    assert numbers(steps.rows(items, tally)) == [*range(10), *range(10)]
    assert (tally.counts["decoded"], tally.counts["filtered"], tally.counts["rejected"]) == (100, 80, 1)


def test_rows_before_one_that_fails_the_run_are_given() -> None:
    rows = pipeline(map=[{**NUMBER, "on_error": "fail"}]).rows(texts(10, n7="seven"), Tally())
    assert [next(rows)["n"] for _ in range(7)] == list(range(7))
    with pytest.raises(SourceError, match="seven") as raised:
        next(rows)
    assert raised.value.code == "mapping_failed"


def test_what_came_before_an_error_of_the_origin_is_mapped_and_counted() -> None:
    def broken() -> Iterator[Item]:
        yield from texts(5, n1="one")
        raise LimitExceeded("too many")

    tally = Tally()
    rows = pipeline(map=[NUMBER]).rows(broken(), tally)
    assert [next(rows)["n"] for _ in range(4)] == [0, 2, 3, 4]
    with pytest.raises(LimitExceeded):
        next(rows)
    assert (tally.counts["decoded"], tally.counts["rejected"]) == (5, 1)


def test_without_a_mapping_each_row_goes_on_as_soon_as_it_comes() -> None:
    taken: list[int] = []

    def items() -> Iterator[Item]:
        for at in range(3):
            taken.append(at)
            yield {"n": at}

    assert next(pipeline().rows(items(), Tally())) == {"n": 0}
    assert taken == [0]
