"""`/api/tasks/` and what leads there, as a program uses it."""

from typing import Any

import pytest
from django.test import Client

from access.keys import create_key
from access.models import Scope
from datasets import analyses, asking
from datasets.models import AnalysisTask, Dataset, Status
from tests.datasets.making import make_dataset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_clean")]

SNAPSHOT = {"id": "1", "rows": 2}
TABLE = {"columns": [{"name": "a", "type": "BIGINT"}, "b"], "rows": [[1, "=1+1"], [-2.5, None], [True, {"c": [1]}]]}


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset(streams=["mine"])


def post(api: Client, path: str, body: Any = None) -> Any:
    return api.post(path, body, content_type="application/json")


def process(api: Client, dataset: Dataset, **body: Any) -> Any:
    return post(api, f"/api/datasets/{dataset.pk}/process/", body)


def end(task: AnalysisTask, status: Status = Status.SUCCESS, data: Any = None, **fields: Any) -> AnalysisTask:
    AnalysisTask.objects.filter(pk=task.pk).update(status=Status.PENDING)
    claimed = analyses.claim()
    assert claimed == task
    result = {"kind": task.kind, "version": task.kind_version, "snapshots": [SNAPSHOT], "data": data}
    done: dict[str, Any] = (
        {"result": result, "snapshots": [SNAPSHOT], "progress": 1.0} if status == Status.SUCCESS else {}
    )
    assert analyses.finish(claimed, status, **done, **fields)
    return claimed


def test_a_task_is_asked_for_and_its_result_read(api: Client, dataset: Dataset) -> None:
    asked = process(api, dataset, kind="schema")
    assert asked.status_code == 202
    task = asked.json()
    assert task["id"] == str(dataset.tasks.get().pk)
    assert (task["status"], task["progress"], task["result"], task["dataset_name"]) == ("pending", 0.0, None, "d")
    end(dataset.tasks.get(), data={"rows": 2})
    answer = process(api, dataset, kind="schema")
    assert answer.status_code == 200
    assert answer.json() == api.get(f"/api/tasks/{task['id']}/").json()
    assert answer.json()["result"] == {"kind": "schema", "version": 2, "snapshots": [SNAPSHOT], "data": {"rows": 2}}
    fresh = process(api, dataset, kind="schema", fresh=True)
    assert (fresh.status_code, fresh.json()["status"], fresh.json()["created_by"]) == (202, "pending", "test")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"kind": ["This field is required."]}),
        ({"kind": "schema", "parameters": {"a": 1}}, {"parameters": "/"}),
        ({"kind": "schema", "parameters": []}, {"parameters": ""}),
        ({"kind": "schema", "fresh": "perhaps"}, {"fresh": ["Must be a valid boolean."]}),
    ],
)
def test_what_cannot_be_asked_is_said(api: Client, dataset: Dataset, body: Any, fields: dict[str, Any]) -> None:
    answer = process(api, dataset, **body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(fields))


def test_parameters_have_bounds(api: Client, dataset: Dataset) -> None:
    answer = process(api, dataset, kind="profile", parameters={"columns": ["x" * 40_000]})
    assert answer.status_code == 400
    assert "32 KiB" in answer.json()["fields"]["parameters"][0]["message"]


def test_nobody_has_more_than_so_many_tasks_wait(
    api: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_OPEN", 2)
    for number in (1, 2):
        assert process(api, dataset, kind="query", parameters={"sql": f"SELECT {number}"}).status_code == 202
    answer = process(api, dataset, kind="query", parameters={"sql": "SELECT 3"})
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_tasks")
    assert "Retry-After" in answer.headers


def test_kinds_are_named_when_there_is_no_such(api: Client, dataset: Dataset) -> None:
    [problem] = process(api, dataset, kind="guess").json()["fields"]["kind"]
    assert problem["message"].startswith("There is no kind 'guess'; there are ")
    assert "schema" in problem["message"]


def test_kinds_come_with_the_schema_of_their_parameters(api: Client) -> None:
    kinds = {kind["name"]: kind for kind in api.get("/api/datasets/kinds/").json()}
    schema = kinds["schema"]
    assert (schema["title"], schema["version"], schema["takes_other"]) == ("Rows and columns", 2, False)
    assert schema["parameters"]["$defs"]["SchemaParameters"]["additionalProperties"] is False


def test_lists_are_filtered_and_have_no_results(api: Client, dataset: Dataset) -> None:
    end(dataset.tasks.get(), data={"rows": 2})
    other = make_dataset("other")
    newest, older = api.get("/api/tasks/").json()["results"]
    assert (newest["dataset"], older["dataset"]) == (other.pk, dataset.pk)
    assert "result" not in newest

    def found(query: str) -> list[str]:
        return [task["id"] for task in api.get(f"/api/tasks/?{query}").json()["results"]]

    assert found(f"dataset={dataset.pk}") == found("status=success") == [older["id"]]
    assert found("status=pending&kind=schema") == [newest["id"]]
    assert api.get("/api/tasks/?status=lost").status_code == 400
    first = api.get("/api/tasks/?limit=1").json()
    assert [task["id"] for task in api.get(first["next"]).json()["results"]] == [older["id"]]


def test_a_pending_task_is_cancelled_and_tried_again(api: Client, dataset: Dataset) -> None:
    path = f"/api/tasks/{dataset.tasks.get().pk}"
    assert post(api, f"{path}/retry/").status_code == 409
    assert post(api, f"{path}/cancel/").json()["status"] == "cancelled"
    again = post(api, f"{path}/retry/")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    assert again.json()["id"] not in path
    assert post(api, f"{path}/cancel/").json()["status"] == "cancelled"


def test_a_failed_task_says_why(api: Client, dataset: Dataset) -> None:
    task = end(dataset.tasks.get(), Status.FAILED, error="time_limit", detail="It took longer.")
    shown = api.get(f"/api/tasks/{task.pk}/").json()
    assert (shown["status"], shown["error"], shown["detail"], shown["result"]) == (
        *("failed", "time_limit", "It took longer.", None),
    )
    answer = api.get(f"/api/tasks/{task.pk}/result/")
    assert (answer.status_code, answer.json()["error"]) == (409, "no_result")


def test_a_result_is_downloaded_as_json_and_a_table_as_csv(api: Client, dataset: Dataset) -> None:
    task = end(dataset.tasks.get(), data=TABLE)
    whole = api.get(f"/api/tasks/{task.pk}/result/")
    assert whole.json()["data"] == TABLE
    assert whole["Content-Disposition"] == f'attachment; filename="schema-{task.pk}.json"'
    table = api.get(f"/api/tasks/{task.pk}/result/?format=csv")
    assert table["Content-Type"] == "text/csv; charset=utf-8"
    assert table.content.decode().splitlines() == ["a,b", "1,'=1+1", "-2.5,", 'true,"{""c"":[1]}"']
    assert api.get(f"/api/tasks/{task.pk}/result/?format=xml").status_code == 400


def test_what_is_no_table_is_no_csv(api: Client, dataset: Dataset) -> None:
    task = end(dataset.tasks.get(), data={"rows": 2, "columns": []})
    assert api.get(f"/api/tasks/{task.pk}/result/?format=csv").status_code == 400


def test_a_sample_is_of_the_snapshot_of_the_present_version(api: Client, dataset: Dataset) -> None:
    path = f"/api/datasets/{dataset.pk}/sample/"
    assert (api.get(path).status_code, api.get(path).json()["error"]) == (409, "no_snapshot")
    columns = [{"name": "a", "type": "BIGINT"}]
    end(dataset.tasks.get(), data={"rows": 3, "columns": columns, "sample": [[1], [2], [3]]})
    assert api.get(f"{path}?limit=2").json() == {"columns": columns, "rows": [[1], [2]], "snapshot": SNAPSHOT}
    for wrong in ("0", "101", "x", "9" * 40):
        assert api.get(f"{path}?limit={wrong}").status_code == 400
    Dataset.objects.update(version=2)
    assert api.get(path).status_code == 409


def test_who_may_operate_and_not_read_gets_no_result(dataset: Dataset) -> None:
    end(dataset.tasks.get(), data={"rows": 2})
    key = create_key("k", [Scope.OPERATE])[1]
    answer = process(Client(headers={"authorization": f"Bearer {key}"}), dataset, kind="schema")
    assert (answer.status_code, answer.json()["result"]) == (200, None)
