"""Datasets to look at: made by the API with an administrator's session, their results put in."""

import itertools
import json
from typing import Any
from uuid import uuid4

from datasets.drawing.results import DRAWINGS
from tests.browser.service import Service, until
from tests.browser.sources.making import Maker
from tests.datasets.results import DATA

numbers = itertools.count(1)
OPEN = ("pending", "running")


class Datasets:
    def __init__(self, maker: Maker, service: Service) -> None:
        self._maker, self._service = maker, service

    def make(self, kind: str = "events", name: str = "", **definition: Any) -> int:
        """The id of a new one whose first snapshot was taken."""
        given = {"name": name or f"dataset {next(numbers)}", "kind": kind, "definition": definition}
        pk = int(self._maker.call("POST", "/api/datasets/", given)["id"])
        until(lambda: not any(self.tasks(pk, status) for status in OPEN))
        return pk

    def tasks(self, pk: int, status: str) -> list[Any]:
        return list(self._maker.call("GET", f"/api/tasks/?dataset={pk}&status={status}")["results"])

    def put(self, pk: int, kind: str, status: str = "success", **fields: Any) -> str:
        """The address of an analysis that nobody carried out, with a canned result."""
        key, version = uuid4(), DRAWINGS[kind].version if kind in DRAWINGS else 1
        result = {"kind": kind, "version": version, "data": DATA[kind]} if status == "success" else None
        told = {"error": "", "detail": "", "step": "", "progress": 0.0, "parameters": {}, **fields}
        self._service.sql(
            "INSERT INTO analysis_task (id, dataset_id, dataset_version, kind, kind_version, parameters, selections,"
            " status, progress, step, result, error, detail, snapshots, cache_key, created_at, created_by, started_at,"
            " heartbeat_at, ended_at, attempt, worker, cancel_requested)"
            " SELECT %s, dataset_id, 1, %s, %s, %s, selections, %s, %s, %s, %s, %s, %s, snapshots, '', now(), '',"
            " now(), now(), CASE WHEN %s THEN now() END, 1, '', false FROM analysis_task WHERE dataset_id = %s LIMIT 1",
            *(key, kind, version, json.dumps(told["parameters"]), status, told["progress"], told["step"]),
            *(json.dumps(result) if result else None, told["error"], told["detail"], status not in OPEN, pk),
        )
        return f"/analyses/{key}/"
