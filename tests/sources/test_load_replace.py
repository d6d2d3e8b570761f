"""What did not come is deleted, unless nothing came."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connection, transaction

from sources.definition import Replace
from sources.errors import LoadFailed
from sources.load.counts import Counts
from sources.load.replace import Replacer
from sources.models import Record, Source
from sources.rows import Row

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def source(db: None) -> Source:
    return Source.objects.create(name="zones", definition={})


def replacer(source: Source, allow_empty: bool = False) -> Replacer:
    return Replacer(connection, source.pk, uuid4(), Replace(key=["id"], allow_empty=allow_empty))


def replace(source: Source, *batches: Sequence[Row], allow_empty: bool = False) -> Counts:
    counts, loader = Counts(), replacer(source, allow_empty)
    with transaction.atomic():
        for batch in batches:
            counts.add(loader.load(batch, NOW))
        counts.add(loader.finish(NOW))
    return counts


def keys(source: Source) -> list[str]:
    return sorted(Record.objects.filter(source=source).values_list("key", flat=True))


def rows(*ids: int, n: int = 0) -> list[Row]:
    return [{"id": id, "n": n} for id in ids]


def test_records_that_did_not_come_are_deleted(source: Source) -> None:
    replace(source, rows(1, 2, 3, 4))
    counts = replace(source, rows(2), rows(4, n=1) + rows(5))
    assert counts.numbers() == {"inserted": 1, "updated": 1, "unchanged": 1, "deleted": 2}
    assert keys(source) == ["2", "4", "5"]


def test_records_of_other_sources_stay(source: Source) -> None:
    other = Source.objects.create(name="other", definition={})
    replace(other, rows(1, 2))
    replace(source, rows(1, 2))
    replace(source, rows(3))
    assert (keys(other), keys(source)) == (["1", "2"], ["3"])


@pytest.mark.parametrize("batches", [[], [[]]], ids=["no batch", "an empty batch"])
def test_an_empty_result_fails_and_changes_nothing(source: Source, batches: list[list[Row]]) -> None:
    replace(source, rows(1))
    with pytest.raises(LoadFailed, match="No rows came") as raised:
        replace(source, *batches)
    assert raised.value.code == "empty_result"
    assert keys(source) == ["1"]


def test_an_empty_result_that_is_allowed_deletes_all(source: Source) -> None:
    replace(source, rows(1, 2))
    assert replace(source, allow_empty=True).numbers() == {"deleted": 2}
    assert keys(source) == []


def test_rows_that_are_all_rejected_are_no_empty_result(source: Source) -> None:
    replace(source, rows(1))
    with pytest.raises(LoadFailed, match="All rows were rejected"):
        replace(source, [{"id": None}, {"id": 1, "bad": "\0"}], allow_empty=True)
    assert keys(source) == ["1"]


def test_a_rejected_row_keeps_the_record_of_its_key(source: Source) -> None:
    replace(source, rows(1, 2))
    counts = replace(source, [*rows(3), {"id": 1, "bad": "\0"}])
    assert counts.numbers() == {"inserted": 1, "deleted": 1}
    assert Record.objects.get(key="1").value == {"id": 1, "n": 0}
    assert keys(source) == ["1", "3"]


@pytest.mark.django_db(transaction=True)
def test_batches_of_two_transactions_delete_nothing_of_each_other() -> None:
    source = Source.objects.create(name="zones", definition={})
    loader = replacer(source)
    with transaction.atomic():
        loader.load(rows(1), NOW)
    with pytest.raises(ProgrammingError), transaction.atomic():
        loader.load(rows(2), NOW)
    with pytest.raises(ProgrammingError), transaction.atomic():
        loader.finish(NOW)
    assert keys(source) == ["1"]


def test_rejected_rows_without_a_known_key_spare_all_records(source: Source) -> None:
    replace(source, rows(1, 2))
    assert replace(source, [*rows(3), {"id": None}]).numbers() == {"inserted": 1}
    assert keys(source) == ["1", "2", "3"]


def test_rows_rejected_before_they_were_loaded_spare_all_records(source: Source) -> None:
    replace(source, rows(1, 2))
    loader = replacer(source)
    with transaction.atomic():
        loader.load(rows(3), NOW)
        loader.finish(NOW, rejected_before=2)
    assert (loader.spared, keys(source)) == (2, ["1", "2", "3"])


def test_rows_rejected_before_they_were_loaded_are_no_empty_result(source: Source) -> None:
    replace(source, rows(1))
    with pytest.raises(LoadFailed, match="All rows were rejected"), transaction.atomic():
        replacer(source, allow_empty=True).finish(NOW, rejected_before=1)
    assert keys(source) == ["1"]
