"""No dataset, and no result, is a way to data that one may not read."""

from typing import Any

import pytest

from access.models import Scope
from access.principals import Principal, limited
from access.reach import EVERYWHERE, Reach
from datasets import analyses, parameters, saving, visibility
from datasets.models import AnalysisTask, Dataset
from tests.datasets.making import make_dataset
from tests.datasets.uploading import make_upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]


def asker(name: str, reach: Reach, *scopes: Scope) -> Principal:
    return Principal(name, limited(scopes or [Scope.READ], reach))


def some(streams: str = "", sources: str = "") -> Reach:
    return Reach(frozenset(streams.split()), frozenset(sources.split()))


@pytest.fixture
def datasets(db: None) -> dict[str, Dataset]:
    upload = make_upload(created_by="user:1")
    return {
        "a": make_dataset("a", streams=["a"]),
        "a and b": make_dataset("a and b", streams=["a", "b"]),
        "all streams": make_dataset("all streams"),
        "changes of s": make_dataset("changes of s", streams=["records.s"]),
        "s": make_dataset("s", "records", source="s"),
        "all records": make_dataset("all records", "records"),
        "file": make_dataset("file", "upload", "user:1", upload=str(upload.pk)),
    }


EVERYTHING = {"a", "a and b", "all streams", "changes of s", "s", "all records", "file"}
ASKERS = {
    "everywhere": (asker("user:9", EVERYWHERE), EVERYTHING),
    "stream a": (asker("user:9", some("a")), {"a"}),
    "streams a, b": (asker("user:9", some("a b c")), {"a", "a and b"}),
    "stream b": (asker("user:9", some("b")), set()),
    "source s": (asker("user:9", some("", "s")), {"s", "changes of s"}),
    "all streams": (asker("user:9", Reach(None, frozenset())), {"a", "a and b", "all streams", "changes of s"}),
    "all sources": (asker("user:9", Reach(frozenset(), None)), {"s", "all records"}),
    "owner of the file": (asker("user:1", some("z")), {"file"}),
    "owner without a role": (Principal("user:1", {}), set()),
    "nobody": (Principal("user:9", {}), set()),
}


@pytest.mark.parametrize("name", ASKERS)
def test_who_sees_which(name: str, datasets: dict[str, Dataset]) -> None:
    who, expected = ASKERS[name]
    found = Dataset.objects.filter(visibility.seen(who, Scope.READ))
    assert {dataset.name for dataset in found} == expected
    assert {name for name, dataset in datasets.items() if visibility.sees(who, Scope.READ, dataset)} == expected
    assert not any(visibility.sees(who, Scope.OPERATE, dataset) for dataset in datasets.values())
    tasks = AnalysisTask.objects.filter(visibility.tasks_seen(who, Scope.READ))
    assert {task.dataset.name for task in tasks} == expected


@pytest.mark.parametrize(
    ("kind", "definition", "missing"),
    [
        ("events", {"streams": ["a", "b"]}, "the stream 'b'"),
        ("events", {"streams": ["a"]}, ""),
        ("events", {}, "all streams"),
        ("records", {"source": "t"}, "the source 't'"),
        ("records", {"source": "s"}, ""),
        ("records", {}, "all sources"),
    ],
)
def test_what_is_beyond_ones_reach_is_named(kind: str, definition: dict[str, Any], missing: str) -> None:
    dataset = Dataset(kind=kind, definition=definition)
    assert visibility.lacks(asker("user:9", some("a", "s")), Scope.READ, dataset) == missing
    assert visibility.lacks(asker("user:9", EVERYWHERE), Scope.READ, dataset) == ""


def test_results_over_what_a_dataset_was_are_for_who_may_read_that(datasets: dict[str, Dataset]) -> None:
    changed = saving.change(datasets["a"], {"definition": {"streams": ["b"]}}).dataset
    found = AnalysisTask.objects.filter(visibility.tasks_seen(asker("user:9", some("b")), Scope.READ))
    assert [(task.dataset_id, task.dataset_version) for task in found] == [(changed.pk, 2)]
    assert not AnalysisTask.objects.filter(visibility.tasks_seen(asker("user:9", some("a")), Scope.READ)).exists()


def test_a_comparison_is_for_who_sees_both(datasets: dict[str, Dataset]) -> None:
    kind = parameters.kind_of("schema")
    analyses.request(datasets["a"], kind, {"n": 1}, other=datasets["s"])
    analyses.request(datasets["a"], kind, {"n": 2}, other=datasets["file"])

    def sees(who: Principal) -> list[int]:
        found = AnalysisTask.objects.filter(visibility.tasks_seen(who, Scope.READ), selections__1__isnull=False)
        return sorted(task.parameters["n"] for task in found)

    assert sees(asker("user:9", EVERYWHERE)) == [1, 2]
    assert sees(asker("user:9", some("a", "s"))) == [1]
    assert sees(asker("user:1", some("a"))) == [2]
    assert sees(asker("user:9", some("a"))) == sees(asker("user:9", some("", "s"))) == []


def test_the_owner_changes_it_while_they_may_operate_and_who_manages_all_of_it(datasets: dict[str, Dataset]) -> None:
    shared, file = datasets["a and b"], datasets["file"]
    operate, manage = (Scope.READ, Scope.OPERATE), (Scope.READ, Scope.MANAGE)
    assert visibility.may_change(asker("user:0", some("a b"), *operate), shared)
    assert not visibility.may_change(asker("user:0", some("a"), *operate), shared)
    assert not visibility.may_change(asker("user:0", EVERYWHERE), shared)
    assert not visibility.may_change(asker("user:9", EVERYWHERE, *operate), shared)
    assert visibility.may_change(asker("user:9", some("a b"), *manage), shared)
    assert not visibility.may_change(asker("user:9", some("a"), *manage), shared)
    assert visibility.may_change(asker("user:1", some("z"), *operate), file)
    assert not visibility.may_change(asker("user:9", some("a", "s"), *manage), file)
    assert visibility.may_change(asker("user:9", EVERYWHERE, *manage), file)
