"""Writing through `/api/records/`: as runs write, beside runs and beside one another."""

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sources import records
from sources.decode import json_values
from sources.definition import Upsert
from sources.load.records import Upserter
from sources.load.staging import Staging
from sources.models import Record, Source

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EXACT = '{"id":"k","big":123456789012345678901234567890,"fine":0.12345678901234567890123,"nested":[{"n":-1e30}]}'


@pytest.fixture
def source() -> Source:
    return Source.objects.create(name="zones", definition={})


def send(api: Client, method: str, path: str, body: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return api.generic(method, f"/api/records/{path}", text.encode(), "application/json")


def at_once(*works: Callable[[], Any]) -> None:
    def run(work: Callable[[], Any]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.mark.parametrize("row", ['{"id":"k","b":1.50,"a":[2,1.0,null,"é"],"at":"2026-01-01T00:00:00Z"}', EXACT])
def test_the_next_run_finds_unchanged_what_is_sent_as_it_pulled_it(api: Client, source: Source, row: str) -> None:
    def run() -> dict[str, int]:
        loader = Upserter(connection, source.pk, uuid4(), Upsert(key=["id"]))
        with transaction.atomic():
            return loader.load([json_values.loads(row.encode())], NOW).numbers()

    assert run() == {"inserted": 1}
    one = f'{{"source":{source.pk},"key":"k","value":{row}}}'
    assert send(api, "POST", "upsert/", f"[{one}]").json() == {"inserted": 0, "updated": 0, "unchanged": 1}
    record = Record.objects.get()
    assert send(api, "PATCH", f"{record.pk}/", f'{{"value":{row}}}').status_code == 200
    Record.objects.all().delete()
    assert send(api, "POST", "", one).status_code == 201
    assert run() == {"unchanged": 1}


def test_every_digit_of_a_number_is_kept_and_shown_everywhere(api: Client, source: Source) -> None:
    made = send(api, "POST", "", f'{{"source":{source.pk},"key":"k","value":{EXACT}}}')
    assert made.status_code == 201, made.content
    path = f"/api/records/{made.json()['id']}/"
    changed = send(api, "PATCH", f"{made.json()['id']}/", f'{{"value":{EXACT.replace("-1e30", "-2e30")}}}')
    shown = [
        made,
        changed,
        *map(api.get, (path, "/api/records/", "/api/stats/top-records/", "/api/stats/top-records/")),
    ]
    for answer in shown:
        assert answer.status_code == 200 or answer is made
        assert re.search(rb'"big": ?123456789012345678901234567890\b', answer.content)
        assert re.search(rb'"fine": ?0\.12345678901234567890123\b', answer.content)
    assert b"123456789012345678901234567890" in api.get("/api/audit/").content


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (r'"a\u0000b"', "u0000"),
        (r'{"a":"\ud800"}', "surrogate"),
        ("[" * 70 + "]" * 70, "levels"),
        ("9" * 5000, "JSON"),
        ("NaN", "JSON"),
    ],
)
def test_a_value_that_cannot_be_stored_is_refused_and_said_why(api: Client, value: str, said: str) -> None:
    for method, path in (("POST", ""), ("POST", "upsert/")):
        one = f'{{"key":"k","value":{value}}}'
        answer = send(api, method, path, f"[{one}]" if path else one)
        assert answer.status_code == 400
        assert said in answer.content.decode()
    assert not Record.objects.exists()


def test_two_who_write_one_new_key_at_once_both_succeed(api: Client, source: Source) -> None:
    answers: list[int] = []

    def upsert(value: int) -> None:
        given = [{"source": source.pk, "key": f"k{n}", "value": value} for n in range(50)]
        answers.append(send(api, "POST", "upsert/", given[:: 1 if value % 2 else -1]).status_code)

    for _ in range(5):
        Record.objects.all().delete()
        at_once(*(lambda value=value: upsert(value) for value in range(4)))
        assert Record.objects.count() == 50
    assert answers == [200] * 20


def test_of_two_who_make_one_record_at_once_one_is_told_that_it_is_there(api: Client) -> None:
    answers: list[int] = []
    work = lambda: answers.append(send(api, "POST", "", {"key": "k", "value": 1}).status_code)  # noqa: E731
    at_once(*[work] * 4)
    assert sorted(answers) == [201, 400, 400, 400]


def test_writing_waits_for_nobody_who_writes_another_source(api: Client, source: Source) -> None:
    other = Source.objects.create(name="other", definition={})
    Record.objects.create(source=other, key="k", value=1, hash=b"x", created_at=NOW, updated_at=NOW)
    held, ended = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Staging(connection, other.pk, None).lock()
            list(Record.objects.select_for_update().filter(source=other))
            held.set()
            ended.wait(60)

    holder = threading.Thread(target=at_once, args=[hold])
    holder.start()
    assert held.wait(60)
    try:
        records.LOCK_SECONDS, before = 1, records.LOCK_SECONDS
        given = {"key": "k", "value": 2}
        assert send(api, "POST", "upsert/", [{**given, "source": source.pk}]).status_code == 200
        busy = send(api, "POST", "upsert/", [{**given, "source": other.pk}])
    finally:
        records.LOCK_SECONDS = before
        ended.set()
        holder.join(60)
    assert (busy.status_code, busy.json()["error"], busy.headers["Retry-After"]) == (503, "records_busy", "10")
    assert Record.objects.get(source=other).value == 1


def test_an_upsert_reads_the_records_of_its_keys_by_the_unique_index(source: Source) -> None:
    Record.objects.bulk_create(
        Record(source=source, key=f"k{n}", value=n, hash=b"x", created_at=NOW, updated_at=NOW) for n in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE record; SELECT pg_stat_force_next_flush()")
        before = _rows_read()
        records.upsert([{"source": source, "key": "k7", "value": records.content(1)}], timezone.now())
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert _rows_read() - before < 10


def _rows_read() -> int:
    """By reading the whole table, by anybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_clear_snapshot(); SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'record'"
        )
        cursor.nextset()
        return int(cursor.fetchone()[0])


def test_sources_that_are_named_often_are_looked_up_once(api: Client, source: Source) -> None:
    given = [{"source": source.pk, "key": str(n), "value": n} for n in range(100)]
    with CaptureQueriesContext(connection) as queries:
        assert send(api, "POST", "upsert/", given).status_code == 200
    assert len(queries) < 50


def test_a_record_moves_to_another_key_and_source_unless_one_is_there(api: Client, source: Source) -> None:
    made = send(api, "POST", "", {"source": source.pk, "key": "a", "value": 1}).json()
    send(api, "POST", "", {"key": "b", "value": 2})
    taken = send(api, "PATCH", f"{made['id']}/", {"source": None, "key": "b"})
    assert (taken.status_code, list(taken.json()["fields"])) == (400, ["key"])
    moved = send(api, "PATCH", f"{made['id']}/", {"source": None, "key": "c", "starts_at": "2026-01-01T00:00:00Z"})
    assert (moved.json()["key"], moved.json()["source_name"], moved.json()["value"]) == ("c", None, 1)
    assert moved.json()["starts_at"] == "2026-01-01T00:00:00Z"
    assert send(api, "PATCH", f"{made['id']}/", {"key": "x" * 256}).status_code == 400
