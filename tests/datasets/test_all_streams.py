"""A dataset of all streams, and the events that analyses themselves make."""

import pytest

from datasets import execution, parameters
from datasets.analyses import request
from datasets.models import Status
from ingest.flush import flush
from ingest.models import Event
from tests.datasets.making import make_dataset
from tests.datasets.taking import store
from tests.ingest.factory import make_stream

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_clean", "snapshots_dir"),
]


def test_what_tells_of_analyses_is_not_among_all_streams_and_makes_no_result_stale() -> None:
    store(make_stream(), {"n": 1}, {"n": 2})
    dataset = make_dataset()
    assert execution.work(30) == 1
    flush()
    assert Event.objects.filter(stream__name="analyses").exists()
    dataset.refresh_from_db()
    assert dataset.rows == 2
    assert not request(dataset, parameters.kind_of("schema"), {}).is_new


def test_it_can_be_a_dataset_of_its_own() -> None:
    make_dataset("before")
    execution.work(30)
    flush()
    make_dataset(streams=["analyses"])
    assert execution.work(30) == 1
    task = make_dataset("again", streams=["analyses"]).tasks.get()
    assert task.status == Status.PENDING
    assert Event.objects.filter(stream__name="analyses", type="success").count() == 1
