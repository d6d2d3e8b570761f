"""What an analysis runs on: a dataset as it was when the analysis was asked for.

Who begins a task again, and who looks at its result, so finds what was meant then, whatever became of the dataset.
"""

from typing import Any

import msgspec
from msgspec import Struct

from datasets.errors import SnapshotFailed
from datasets.models import Dataset


class Selection(Struct, frozen=True):
    dataset: int
    version: int
    kind: str
    owner: str
    definition: dict[str, Any]


def of(dataset: Dataset) -> Selection:
    return Selection(dataset.pk, dataset.version, dataset.kind, dataset.owner, dataset.definition)


def read(document: Any) -> Selection:
    return msgspec.convert(document, Selection)


def dataset_of(selection: Selection) -> Dataset:
    """Not to be saved: it has the definition of the selection. Raises SnapshotFailed."""
    dataset = Dataset.objects.filter(pk=selection.dataset).first()
    if dataset is None:
        raise SnapshotFailed(f"The dataset {selection.dataset} was deleted.")
    dataset.version, dataset.definition = selection.version, selection.definition
    return dataset
