from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ingest.flush import flush
from ingest.models import Event
from ingest.partitions import DAYS_AHEAD, day_start, drop_partitions, make_partition, make_partitions, partition_days
from tests.ingest.factory import make_event, make_stream, push_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

LONG_AGO = date(2020, 2, 29)


def partition_of_the_event() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM event")
        return str(cursor.fetchone()[0])


def store_at(day: date) -> None:
    push_chunk(make_stream(), [make_event()], now_ms=int(day_start(day).timestamp() * 1000) + 1)
    flush()


def test_a_new_database_has_the_partitions_of_the_coming_days() -> None:
    today = timezone.now().date()
    assert set(partition_days()) >= {today + timedelta(days=n) for n in range(DAYS_AHEAD)}


def test_making_them_again_makes_none() -> None:
    make_partitions()
    assert make_partitions() == []


def test_partitions_are_made_for_today_and_ahead() -> None:
    assert make_partitions(LONG_AGO) == [LONG_AGO + timedelta(days=n) for n in range(DAYS_AHEAD + 1)]
    assert LONG_AGO in partition_days()


def test_a_partition_that_another_worker_made_meanwhile_is_left_as_it_is() -> None:
    make_partition(LONG_AGO)
    store_at(LONG_AGO)
    make_partition(LONG_AGO)
    assert partition_of_the_event() == "event_20200229"


def test_rows_in_the_net_move_to_their_partition_when_it_is_made() -> None:
    store_at(LONG_AGO)
    assert partition_of_the_event() == "event_default"
    make_partitions(LONG_AGO)
    assert partition_of_the_event() == "event_20200229"
    assert Event.objects.count() == 1


def test_only_days_that_have_ended_are_dropped() -> None:
    make_partitions(LONG_AGO)
    second_day = LONG_AGO + timedelta(days=1)
    assert drop_partitions(day_start(second_day) + timedelta(hours=23)) == [LONG_AGO]
    assert second_day in partition_days()
