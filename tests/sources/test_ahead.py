"""Making what comes next while what came is in use."""

import sys
import threading
from collections.abc import Iterator

import pytest

from sources.ahead import ahead


def test_all_items_come_in_their_order() -> None:
    with ahead(iter(range(5))) as items:
        assert list(items) == [0, 1, 2, 3, 4]


def test_the_next_item_is_made_while_one_is_in_use_and_no_other() -> None:
    made: list[int] = []
    second = threading.Event()

    def make() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    with ahead(make()) as items:
        assert next(items) == 0
        assert second.wait(10)
    assert made == [0, 1]


def test_what_making_raises_comes_in_the_place_of_the_item() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with ahead(make()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="no more"):
            next(items)


def test_nothing_of_it_remains_after_an_error() -> None:
    before = threading.active_count(), sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), ahead(iter(range(5))) as items:
        1 / next(items)
    assert (threading.active_count(), sys.getswitchinterval()) == before
