"""Datasets, made as the API makes them."""

from typing import Any

from datasets import saving
from datasets.models import Dataset

OWNER = "user:0"


def make_dataset(name: str = "d", kind: str = "events", owner: str = OWNER, **definition: Any) -> Dataset:
    """With a pending task that is to find out its rows and columns."""
    dataset = Dataset(name=name, kind=kind, owner=owner, owner_name="ana", definition=saving.read(kind, definition))
    return saving.make(dataset, "ana").dataset
