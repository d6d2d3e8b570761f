"""What is made of what the clients of the live feed saw."""

from array import array

import pytest

from bench.latency import BATCH, EVENTS_PER_SECOND, WARM_UP_SECONDS, latencies_ms
from bench.watchers import Seen, Sight

START = WARM_UP_SECONDS * EVENTS_PER_SECOND


def test_counts_are_exact_for_who_heard_of_all_over_one_connection_without_a_gap() -> None:
    good = Seen(heard=100, shown=10)
    others = [Seen(heard=99, missing=1), Seen(heard=99), Seen(heard=101), Seen(heard=100, lost=1)]
    assert Sight([good, *others, good], 1.0, 0.0).exact(100) == 2


def test_the_share_shown_and_the_traffic_are_those_of_all_clients() -> None:
    sight = Sight([Seen(heard=100, shown=40, frames=6, event_bytes=3_000_000), Seen(heard=300, frames=4)], 2.0, 0.0)
    assert sight.shown == 0.1
    assert sight.traffic == "5 frames/s, 1.5 MB/s of events, 10.0% of the events shown"


def test_latencies_count_from_the_request_of_the_event_and_leave_out_warm_up_and_unseen() -> None:
    received = array("d", bytes(8 * (START + 2 * BATCH)))
    received[START - 1] = 99.0
    received[START] = 50.25
    received[START + 2 * BATCH - 1] = 60.125
    since = [0.0] * (START // BATCH) + [50.0, 60.0]
    assert latencies_ms(since, Seen(received_at=received)) == pytest.approx([250.0, 125.0])
