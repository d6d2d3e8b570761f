"""A run that replaces, when some of its rows cannot be read."""

from typing import Any

import pytest

from sources.models import Record
from tests.sources.provider import Provider, data
from tests.sources.test_execution import make, provider, run_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_clean")]

__all__ = ["provider"]

REPLACE: dict[str, Any] = {
    "version": 1,
    "map": [{"to": "id", "from": "id"}, {"to": "n", "from": "n", "type": "integer"}],
    "load": {"kind": "replace", "key": ["id"]},
}


def keys() -> list[str]:
    return list(Record.objects.order_by("key").values_list("key", flat=True))


def test_a_record_whose_row_was_rejected_is_not_deleted(provider: Provider) -> None:
    first, second = [{"id": "a", "n": 1}, {"id": "b", "n": 1}], [{"id": "a", "n": "?"}, {"id": "c", "n": 2}]
    source = make(REPLACE, provider.on("/a", data(first), data(second), data(second[1:])))
    run_once(source)
    run = run_once(source)
    assert keys() == ["a", "b", "c"]
    assert (run.counts["rejected"], run.counts.get("deleted", 0)) == (1, 0)
    assert [line.message for line in run.log.filter(level="warning")] == [
        "No record was deleted. Rejected rows: 1; records that did not come may be theirs."
        " If they may go all the same, set load.allow_rejected."
    ]
    assert run_once(source).counts["deleted"] == 2


def test_rejected_rows_may_be_told_not_to_matter(provider: Provider) -> None:
    load = {**REPLACE["load"], "allow_rejected": True}
    first, second = [{"id": "a", "n": 1}, {"id": "b", "n": 1}], [{"id": "a", "n": "?"}, {"id": "b", "n": 2}]
    source = make({**REPLACE, "load": load}, provider.on("/a", data(first), data(second)))
    run_once(source)
    assert run_once(source).counts["deleted"] == 1
    assert keys() == ["b"]
