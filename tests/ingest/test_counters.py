"""Counts of several processes become one sum, each increment once."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from data_handler import embedded
from ingest.counters import GAUGES, STALE_SECONDS, Counters, client, read
from tests.monitor.frozen import frozen

pytestmark = pytest.mark.usefixtures("redis_clean")

FORKING = """
import os
import django
django.setup()
from ingest import counters
counters.count("forked", 3)
child = os.fork()
if child == 0:
    counters.count("forked", 4)
    counters.flush()
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.fixture
def counters() -> Iterator[Counters]:
    counters = Counters()
    yield counters
    counters.close()


def counted(name: str, **labels: str) -> int:
    return read().counts.get((name, tuple(labels.items())), 0)


def test_nothing_is_counted_in_redis_before_it_is_handed_in(counters: Counters) -> None:
    counters.count("doors", 2)
    assert counted("doors") == 0
    counters.flush()
    counters.flush()
    assert counted("doors") == 2


def test_labels_tell_counts_apart(counters: Counters) -> None:
    counters.count("doors", reason="wind")
    counters.count("doors reason=wind", 2)
    counters.count("doors", 5, reason="cat")
    counters.flush()
    assert (counted("doors", reason="wind"), counted("doors", reason="cat"), counted("doors")) == (3, 5, 0)


def test_counts_are_handed_in_without_being_asked_for(counters: Counters) -> None:
    counters.count("doors")
    done = threading.Event()
    for _ in range(40):
        if counted("doors"):
            return
        done.wait(0.1)
    pytest.fail("The count did not arrive in 4 s.")


def test_no_increment_is_lost_between_threads(counters: Counters) -> None:
    def count(_: int) -> None:
        for _ in range(2000):
            counters.count("doors")

    with ThreadPoolExecutor(4) as pool:
        done = pool.map(count, range(4))
        for _ in range(5):
            counters.flush()
        list(done)
    counters.flush()
    assert counted("doors") == 8000


def test_an_increment_whose_answer_was_lost_is_added_once(counters: Counters, services: embedded.Services) -> None:
    counters.count("doors", 2)
    with frozen(services.broker), pytest.raises(redis.RedisError):
        counters.flush()  # Redis reads it once it wakes up
    counters.count("doors", 3)
    counters.flush()
    assert counted("doors") == 5


def test_processes_add_up_and_the_end_of_one_hands_in_its_counts() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "data_handler.settings"}
    running = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", FORKING], env=environment) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert counted("forked") == 14


def test_gauges_of_living_processes_are_summed(counters: Counters) -> None:
    other = Counters()
    counters.gauge("clients", 3)
    counters.gauge("clients", 2)
    other.gauge("clients", 4)
    for process in (counters, other):
        process.flush()
    assert read().gauges == {("clients", ()): 6}
    other.close()
    assert read().gauges == {("clients", ()): 2}


def test_the_gauges_of_a_process_that_was_killed_are_forgotten(counters: Counters) -> None:
    seconds, _ = client().time()
    client().hset(GAUGES, "killed", f'{seconds - STALE_SECONDS - 1} {{"clients": 9}}')
    assert read().gauges == {}
    counters.gauge("clients", 1)
    counters.flush()
    assert read().gauges == {("clients", ()): 1}
    assert client().hlen(GAUGES) == 1


def test_durations_fall_into_buckets(counters: Counters) -> None:
    for seconds in (0.001, 0.02, 0.03, 99.0):
        counters.observe("nap", seconds)
    counters.flush()
    assert [counted("nap_seconds", le=bound) for bound in ("0.003", "0.03", "+Inf")] == [1, 2, 1]
    assert counted("nap_microseconds") == 99_051_000
