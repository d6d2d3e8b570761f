"""Samples of a number, and what is read from them."""

import time

import pytest

from bench.sampler import Samples, sampling

SAMPLES = Samples([(10.0, 5), (11.0, 9), (12.0, 7), (14.0, 0)])


@pytest.mark.parametrize(("share", "number"), [(0.0, 5), (0.25, 9), (0.49, 9), (0.5, 7), (1.0, 0)])
def test_a_share_of_the_time_has_the_newest_number_till_then(share: float, number: float) -> None:
    assert SAMPLES.at(share) == number


def test_the_most_and_the_first_time_below_are_known() -> None:
    assert SAMPLES.most == 9
    assert SAMPLES.reached(7) == 10.0
    assert SAMPLES.reached(0) == 14.0
    assert SAMPLES.reached(-1) is None


def test_it_looks_at_the_beginning_and_at_the_end_and_between() -> None:
    numbers = iter(range(100))
    with sampling(lambda: next(numbers)) as samples:
        time.sleep(0.7)
    assert [number for _, number in samples.taken] == [0, 1, 2]
    assert [at for at, _ in samples.taken] == sorted(at for at, _ in samples.taken)
