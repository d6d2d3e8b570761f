"""Rows become records, each counted for what it did."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.definition import Upsert
from sources.load import staging
from sources.load.counts import Counts
from sources.load.records import Upserter
from sources.models import Record, Source
from sources.rows import Row

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPEC = Upsert(key=["id"])
VERSIONS = [staging.ARRAYS_SINCE - 1, staging.ARRAYS_SINCE]


@pytest.fixture
def source() -> Source:
    return Source.objects.create(name="weather", definition={})


def upserter(source: Source | None, run_id: UUID | None = None, spec: Upsert = SPEC) -> Upserter:
    return Upserter(connection, source.pk if source else None, run_id or uuid4(), spec)


def load(source: Source | None, *rows: Row, now: datetime = NOW, spec: Upsert = SPEC) -> Counts:
    return upserter(source, spec=spec).load(rows, now)


def stored(source: Source) -> dict[str, Any]:
    return dict(Record.objects.filter(source=source).values_list("key", "value"))


def test_a_new_row_becomes_a_record(source: Source) -> None:
    run_id = uuid4()
    counts = upserter(source, run_id).load([{"id": 7, "name": "Oslo"}], NOW)
    assert counts.numbers() == {"inserted": 1}
    record = Record.objects.get()
    assert (record.source, record.key, record.value) == (source, "7", {"id": 7, "name": "Oslo"})
    assert (record.created_at, record.updated_at, record.run_id, len(record.hash)) == (NOW, NOW, run_id, 16)


def test_a_changed_row_updates_its_record(source: Source) -> None:
    load(source, {"id": 7, "name": "Oslo"})
    counts = load(source, {"id": 7, "name": "Bergen"}, now=NOW + timedelta(hours=1))
    assert counts.numbers() == {"updated": 1}
    record = Record.objects.get()
    assert (record.value["name"], record.created_at, record.updated_at) == ("Bergen", NOW, NOW + timedelta(hours=1))


def test_an_equal_row_leaves_its_record_as_it_is(source: Source) -> None:
    load(source, {"id": 7, "name": "Oslo"})
    before = Record.objects.values().get()
    assert load(source, {"name": "Oslo", "id": 7}, now=NOW + timedelta(hours=1)).numbers() == {"unchanged": 1}
    assert Record.objects.values().get() == before


def test_the_last_of_several_rows_with_a_key_counts(source: Source) -> None:
    counts = load(source, {"id": 1, "n": 1}, {"id": 2, "n": 1}, {"id": 1, "n": 2}, {"id": "1", "n": 3})
    assert counts.numbers() == {"inserted": 2, "superseded": 2}
    assert stored(source) == {"1": {"id": "1", "n": 3}, "2": {"id": 2, "n": 1}}


def test_what_a_run_changes_again_is_counted_once(source: Source) -> None:
    load(source, {"id": 1, "n": 0})
    loader = upserter(source)
    assert loader.load([{"id": 1, "n": 1}, {"id": 2, "n": 1}], NOW).numbers() == {"inserted": 1, "updated": 1}
    assert loader.load([{"id": 1, "n": 2}, {"id": 2, "n": 2}], NOW).numbers() == {"superseded": 2}
    assert loader.load([{"id": 1, "n": 2}], NOW).numbers() == {"unchanged": 1}
    assert stored(source) == {"1": {"id": 1, "n": 2}, "2": {"id": 2, "n": 2}}


def test_sources_have_keys_of_their_own(source: Source) -> None:
    other = Source.objects.create(name="other", definition={})
    for owner in (source, other, None):
        assert load(owner, {"id": 1}).numbers() == {"inserted": 1}
        assert load(owner, {"id": 1}).numbers() == {"unchanged": 1}
    assert Record.objects.count() == 3


def test_times_to_search_by_are_read_from_the_row(source: Source) -> None:
    spec = Upsert(key=["id"], starts_at="start", ends_at="zone.end")
    row = {"id": 1, "start": datetime(2026, 1, 31, 13, tzinfo=UTC), "zone": {"end": "2026-01-31T22:00:00+01:00"}}
    load(source, row, {"id": 2, "start": "2026-09-31", "zone": None}, {"id": 3, "start": "2026-01-31"}, spec=spec)
    times = Record.objects.order_by("key").values_list("starts_at", "ends_at")
    assert list(times) == [
        (datetime(2026, 1, 31, 13, tzinfo=UTC), datetime(2026, 1, 31, 21, tzinfo=UTC)),
        (None, None),
        (datetime(2026, 1, 31, tzinfo=UTC), None),
    ]


def test_a_definition_that_names_a_time_at_last_updates_records_of_equal_rows(source: Source) -> None:
    row = {"id": 1, "start": "2026-01-31T00:00:00Z"}
    load(source, row)
    spec = Upsert(key=["id"], starts_at="start")
    assert load(source, row, spec=spec).numbers() == {"updated": 1}
    assert load(source, row, spec=spec).numbers() == {"unchanged": 1}


def test_numbers_are_kept_to_the_last_digit(source: Source) -> None:
    load(source, {"id": 1, "price": Decimal("0.10000000000000000000000001"), "big": 2**200, "list": [Decimal("1.50")]})
    with connection.cursor() as cursor:
        cursor.execute("SELECT value->>'price', value->>'big', value#>>'{list,0}' FROM record")
        assert cursor.fetchone() == ("0.10000000000000000000000001", str(2**200), "1.50")


def test_texts_come_back_as_they_were(source: Source) -> None:
    row = {"id": 'a\\b\t"c"\n\r|', "text": "back\\slash \\N \\. tab\t line\nfeed \r é 🙂 \x01 ' %s"}
    load(source, row)
    assert stored(source) == {row["id"]: row}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a\0b", "nul_character"),
        ("\ud800", "lone_surrogate"),
        ({"\udc00": 1}, "lone_surrogate"),
        (float("nan"), "number_not_finite"),
        ([None, {"a": float("-inf")}], "number_not_finite"),
        (Decimal("sNaN"), "number_not_finite"),
        (Decimal("1e400"), "number_out_of_range"),
        (10**2000, "number_too_long"),
        (10**5000, "number_too_long"),
        (nested(70), "too_deep"),
        (nested(3000), "too_deep"),
        ({"x" * 2000: 1}, "member_name_too_long"),
        ("x" * 1_048_577, "event_too_large"),
        ({1: 2}, "not_json"),
        (b"bytes", "not_json"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() and len(value) < 40 else "value",
)
def test_a_row_that_cannot_be_stored_is_rejected_and_its_neighbours_are_not(
    source: Source, value: object, code: str
) -> None:
    bad = {"id": 2, "value": value}
    counts = load(source, {"id": 1, "n": None}, bad, {"id": 3})
    assert counts.numbers() == {"inserted": 2}
    [rejected] = counts.rejected
    assert (rejected.step, rejected.code, rejected.row) == ("load", code, bad)
    assert sorted(stored(source)) == ["1", "3"]


def test_a_row_without_a_key_is_rejected(source: Source) -> None:
    counts = load(source, {"id": None}, {"id": 1})
    assert counts.numbers() == {"inserted": 1}
    assert [rejected.code for rejected in counts.rejected] == ["no_key"]


def test_what_only_postgresql_minds_is_found_and_the_rest_stored(source: Source) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE record ADD CONSTRAINT odd CHECK (value->>'n' <> '13')")
    rows = [{"id": n, "n": n} for n in range(40)] + [{"id": 99, "n": 13}]
    counts = load(source, *rows)
    assert counts.numbers() == {"inserted": 39}
    assert {rejected.row["id"] for rejected in counts.rejected} == {13, 99}  # type: ignore[index]
    assert {rejected.code for rejected in counts.rejected} == {"refused_by_database"}
    assert Record.objects.count() == 39


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("seen_empty", [False, True])
@pytest.mark.parametrize("owned", [True, False])
def test_records_are_looked_up_by_key_whatever_the_planner_has_not_seen(
    source: Source, owned: bool, seen_empty: bool, version: int
) -> None:
    load(source, *({"id": number} for number in range(2000)))
    newer = Source.objects.create(name="newer", definition={}).pk if owned else None
    begin, explained, *_ = staging.compare_statements(newer, version).split("SELECT coalesce", 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE record")
        if seen_empty:  # as when the first load of all is under way
            cursor.execute("UPDATE pg_class SET reltuples = 0 WHERE relname = 'record'")
        cursor.execute(staging.CREATE)
        cursor.execute(begin)
        values = {"source_id": newer, "run_id": None}
        cursor.execute(f"EXPLAIN SELECT coalesce{explained.partition(';')[0]}", values)
        plan = [line for (line,) in cursor.fetchall()]
    [scan] = [place for place, line in enumerate(plan) if " on record" in line and "Scan" in line]
    assert "using record_once" in plan[scan]
    assert "Index Cond" in plan[scan + 1]
    assert "key" in plan[scan + 1]
    assert version < staging.ARRAYS_SINCE or not any("Nested Loop" in line for line in plan)


def test_only_values_that_are_new_or_differ_are_sent_to_the_database(source: Source) -> None:
    load(source, *({"id": number} for number in range(10)))
    with transaction.atomic():
        load(source, *({"id": number, **({"n": 1} if number == 3 else {})} for number in range(11)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT key, value FROM staged_record WHERE value IS NOT NULL ORDER BY place")
            assert cursor.fetchall() == [("10", '{"id":10}'), ("3", '{"id":3,"n":1}')]


def test_rows_of_a_first_load_may_come_again(source: Source) -> None:
    loader = upserter(source)
    assert loader.load([{"id": 1}, {"id": 2}], NOW).numbers() == {"inserted": 2}
    assert loader.load([{"id": 3}], NOW).numbers() == {"inserted": 1}
    assert loader.load([{"id": 3}, {"id": 2, "n": 1}, {"id": 4}], NOW).numbers() == {
        "unchanged": 1,
        "superseded": 1,
        "inserted": 1,
    }
    assert sorted(stored(source)) == ["1", "2", "3", "4"]


def test_rows_are_made_ready_until_they_have_so_many_bytes(source: Source) -> None:
    rows = iter([{"id": number, "text": "x" * 1000} for number in range(10)])
    store = upserter(source).prepare(rows, most_bytes=2500)
    assert store(NOW).numbers() == {"inserted": 3}
    assert [row["id"] for row in rows] == [3, 4, 5, 6, 7, 8, 9]


def test_no_row_is_no_work(source: Source) -> None:
    assert load(source).numbers() == {}


ROWS = st.builds(
    lambda key, n, bad: {"id": key, "n": n, **({"bad": "\0"} if bad else {})},
    st.integers(0, 5),
    st.integers(0, 2),
    st.sampled_from([False] * 9 + [True]),
)
RUNS = st.lists(st.lists(st.lists(ROWS, max_size=8), max_size=3), max_size=4)


@pytest.fixture(params=[0, 1 << 30], ids=["records compared at once", "records compared one by one"])
def arrays_since(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one as with a PostgreSQL older than the one that is here."""
    monkeypatch.setattr(staging, "ARRAYS_SINCE", request.param)


@pytest.mark.usefixtures("arrays_since")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=RUNS)
def test_any_batches_in_any_order_are_counted_as_a_dictionary_would(
    source: Source, runs: list[list[list[Row]]]
) -> None:
    Record.objects.all().delete()
    expected: dict[str, Row] = {}
    for run in runs:
        loader, changed = upserter(source), set()
        for batch in run:
            good = [row for row in batch if "bad" not in row]
            latest = {str(row["id"]): row for row in good}
            due = Counts(superseded=len(good) - len(latest))
            for key, row in latest.items():
                if expected.get(key) == row:
                    due.unchanged += 1
                elif key in changed:
                    due.superseded += 1
                elif key in expected:
                    due.updated += 1
                else:
                    due.inserted += 1
                if expected.get(key) != row:
                    changed.add(key)
            expected.update(latest)
            with transaction.atomic():
                counts = loader.load(batch, NOW)
            assert counts.numbers() == due.numbers()
            assert [rejected.row for rejected in counts.rejected] == [row for row in batch if "bad" in row]
        assert stored(source) == expected
