"""A look at a dataset: the first rows of its snapshot, which the analysis `schema` keeps."""

from typing import Any

from datasets.kinds.schema import MOST_ROWS, SchemaKind
from datasets.models import Dataset, Status

__all__ = ["MOST_ROWS", "read"]


def read(dataset: Dataset, limit: int) -> dict[str, Any] | None:
    """{"columns", "rows", "snapshot"} of the present version; None as long as no snapshot of it was taken."""
    tasks = dataset.tasks.filter(kind=SchemaKind.name, dataset_version=dataset.version, status=Status.SUCCESS)
    task = tasks.first()
    if task is None or task.result is None:
        return None
    data = task.result["data"]
    return {"columns": data["columns"], "rows": data["sample"][:limit], "snapshot": task.snapshots[0]}
