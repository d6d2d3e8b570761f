"""Loads that end halfway, and loads at the same time."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from sources.definition import Upsert
from sources.load.counts import Counts
from sources.load.records import Upserter
from sources.models import Record, Source
from sources.rows import Row

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROWS: list[Row] = [{"id": number, "n": number} for number in range(500)]


def make_source(name: str = "weather") -> Source:
    return Source.objects.create(name=name, definition={})


def upserter(source: Source) -> Upserter:
    return Upserter(connection, source.pk, uuid4(), Upsert(key=["id"]))


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_rows_and_what_is_committed_with_them_fall_together() -> None:
    source = make_source()
    with transaction.atomic():
        upserter(source).load(ROWS, NOW)
        Source.objects.update(state={"cursor": 500})
        transaction.set_rollback(True)
    source.refresh_from_db()
    assert (Record.objects.count(), source.state) == (0, {})


def test_of_a_process_that_dies_before_the_commit_nothing_stays() -> None:
    source = make_source()

    def die() -> None:
        connection.set_autocommit(False)
        loader = upserter(source)
        for _ in range(2):
            loader.load(ROWS, NOW)
        assert Record.objects.count() == 500
        connection.connection.close()

    in_thread(die).join()
    assert Record.objects.count() == 0
    with transaction.atomic():
        assert upserter(source).load(ROWS, NOW).numbers() == {"inserted": 500}


def test_one_connection_loads_batch_after_batch_in_transactions_of_their_own() -> None:
    source, total = make_source(), Counts()
    loader = upserter(source)
    for start in range(0, 500, 100):
        with transaction.atomic():
            total.add(loader.load(ROWS[start : start + 100], NOW))
    assert total.numbers() == {"inserted": 500}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'staged_record'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("shared", [True, False], ids=["one source", "a source each"])
def test_loads_at_the_same_time_wait_for_each_other_and_never_in_a_circle(shared: bool) -> None:
    sources = [make_source(f"s{number}") for number in range(1 if shared else 2)]
    totals = [Counts(), Counts()]

    def run(number: int) -> Callable[[], None]:
        def work() -> None:
            chance, source = random.Random(number), sources[number % len(sources)]
            for _ in range(5):
                with transaction.atomic():
                    loader = upserter(source)
                    for _ in range(4):
                        batch = [{"id": row["id"], "n": number} for row in chance.sample(ROWS, 250)]
                        totals[number].add(loader.load(batch, NOW))

        return work

    for thread in [in_thread(run(number)) for number in range(2)]:
        thread.join(60)
        assert not thread.is_alive()
    total = Counts()
    for counts in totals:
        total.add(counts)
    assert sum(total.numbers().values()) == 2 * 5 * 4 * 250
    assert total.inserted == Record.objects.count() >= 250 * len(sources)
