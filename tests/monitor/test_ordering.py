"""Batches that arrive out of order, twice, or not at all."""

from itertools import permutations

import pytest

from monitor.batches import Batch, Gap, Position
from monitor.ordering import Ordering


def batch(first: int, last: int, epoch: str = "e") -> Batch:
    return Batch(epoch, first, last, [["sensors", None, last - first + 1]], [])


def spans(items: list[Batch | Gap]) -> list[tuple[str, int, int]]:
    return [(type(item).__name__, item.first, item.last) for item in items]


@pytest.mark.parametrize("order", list(permutations([batch(1, 5), batch(6, 6), batch(7, 20), batch(21, 22)])))
def test_any_order_of_arrival_comes_out_in_order(order: list[Batch]) -> None:
    ordering = Ordering(Position("e", 0))
    out = [item for arrived in order for item in ordering.take(arrived)]
    assert spans(out) == [("Batch", 1, 5), ("Batch", 6, 6), ("Batch", 7, 20), ("Batch", 21, 22)]
    assert not ordering.waiting


def test_what_was_before_the_beginning_or_comes_again_is_left_out() -> None:
    ordering = Ordering(Position("e", 10))
    assert ordering.take(batch(6, 10)) == []
    assert spans(ordering.take(batch(11, 12))) == [("Batch", 11, 12)]
    assert ordering.take(batch(11, 12)) == []


def test_a_batch_that_never_comes_becomes_a_gap() -> None:
    ordering = Ordering(Position("e", 0))
    ordering.take(batch(6, 9))
    ordering.take(batch(15, 15))
    assert spans(ordering.stop_waiting()) == [("Gap", 1, 5), ("Batch", 6, 9)]
    assert spans(ordering.stop_waiting()) == [("Gap", 10, 14), ("Batch", 15, 15)]
    assert not ordering.waiting
    assert ordering.position == Position("e", 15)


def test_a_batch_that_comes_after_its_gap_is_left_out() -> None:
    ordering = Ordering(Position("e", 0))
    ordering.take(batch(2, 2))
    ordering.stop_waiting()
    assert ordering.take(batch(1, 1)) == []


def test_a_new_epoch_is_said_and_counts_from_one() -> None:
    ordering = Ordering(Position("old", 100))
    out = ordering.take(batch(1, 3, "new"))
    assert out[0] == Gap("new", 1, 0, "new_epoch")
    assert spans(out) == [("Gap", 1, 0), ("Batch", 1, 3)]
    assert ordering.position == Position("new", 3)


def test_a_straggler_of_an_old_epoch_does_not_bring_it_back() -> None:
    ordering = Ordering(Position("old", 100))
    ordering.take(batch(1, 3, "new"))
    assert ordering.take(batch(101, 102, "old")) == []
    assert ordering.position == Position("new", 3)
