"""Records as tables."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from datasets import snapshots
from datasets.models import Dataset
from sources import records
from sources.models import Source
from tests.datasets.taking import NOW, column, dataset, take

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean", "snapshots_dir")]


@pytest.fixture
def prices() -> Source:
    source = Source.objects.create(name="prices", definition={})
    keep(source, {"a": {"price": 1.5, "sold": True}, "b": {"price": 2, "note": None}, "c": 7})
    keep(None, {"a": {"price": 100}})
    return source


def keep(source: Source | None, values: dict[str, Any], now: datetime = NOW - timedelta(days=1)) -> None:
    given = [
        {"source": source, "key": key, "value": records.content(value), "starts_at": None, "ends_at": None}
        for key, value in values.items()
    ]
    records.upsert(given, now)


def id_of(of: Dataset) -> str:
    return snapshots.fingerprint(of, snapshots.period(of, NOW))


def test_records_are_a_table_with_a_column_for_each_member(prices: Source) -> None:
    table = take(dataset("records", source="prices"))
    assert {one.name: one.type for one in table.columns} == {
        "key": "VARCHAR",
        "source": "VARCHAR",
        "created_at": "TIMESTAMP WITH TIME ZONE",
        "updated_at": "TIMESTAMP WITH TIME ZONE",
        "starts_at": "TIMESTAMP WITH TIME ZONE",
        "ends_at": "TIMESTAMP WITH TIME ZONE",
        "value": "BIGINT",
        "value.sold": "BOOLEAN",
        "value.price": "DOUBLE",
        "value.note": "VARCHAR",
    }
    shown = 'key, source, updated_at, value, "value.price", "value.sold", "value.note"'
    then = NOW - timedelta(days=1)
    assert table.rows(f"SELECT {shown} FROM data ORDER BY key") == [
        ("a", "prices", then, None, 1.5, True, None),
        ("b", "prices", then, None, 2.0, None, None),
        ("c", "prices", then, 7, None, None, None),
    ]
    assert table.snapshot.time_column == "updated_at"


def test_those_of_all_sources_say_which(prices: Source) -> None:
    table = take(dataset("records", conditions={"value.price__gt": "1.7"}))
    assert table.rows('SELECT source, "value.price" FROM data ORDER BY 2') == [("prices", 2), (None, 100)]


def test_those_of_a_source_that_is_not_there_are_none() -> None:
    assert column(take(dataset("records", source="gone")), "key") == []


def test_the_id_changes_when_records_do(prices: Source) -> None:
    of = dataset("records", source="prices")
    ids = [id_of(of), id_of(of)]
    keep(prices, {"a": {"price": 9}}, now=NOW)
    ids.append(id_of(of))
    records.delete(prices.records.get(key="b"))
    ids.append(id_of(of))
    keep(None, {"a": {"price": 101}}, now=NOW)
    ids.append(id_of(of))
    assert [ids.index(one) for one in ids] == [0, 0, 2, 3, 3]


def test_integers_of_more_than_64_bits_keep_all_their_digits(prices: Source) -> None:
    keep(prices, {"x": {"n": 2**63}, "y": {"n": -5}})
    table = take(dataset("records", source="prices", conditions={"value.n__exists": "true"}))
    assert column(table, "value.n") == [-5, 2**63]
    assert table.columns[-1].type == "HUGEINT"


def test_who_began_earlier_and_commits_later_makes_other_data(prices: Source) -> None:
    of = dataset("records", source="prices")
    before = id_of(of)
    keep(prices, {"a": {"price": 2.5}}, NOW - timedelta(days=2))
    assert id_of(of) != before
