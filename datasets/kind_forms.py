"""The kinds of analysis as forms on the page of a dataset."""

from typing import Any, NamedTuple

from msgspec import structs

from datasets.fields import Choices, Form, form
from datasets.kinds.kind import Kind
from datasets.models import AnalysisTask, Dataset
from datasets.parameters import kinds
from datasets.templatetags.figures import cell

QUERY = "query"
NO_FORM = (QUERY, "schema")
"""One has a box of its own; the other runs by itself when a dataset is made or changed."""
ORDER = ("profile", "timeseries", "swings", "compare")


class KindForm(NamedTuple):
    name: str
    title: str
    form: Form


def kind_forms(dataset: Dataset, datasets: Choices) -> list[KindForm]:
    """`datasets`: id and name of those that it may be compared with."""
    columns = dataset.columns or []
    return [
        KindForm(kind.name, kind.title, form(kind.Parameters, columns, datasets))
        for kind in sorted(kinds().values(), key=_place)
        if kind.name not in NO_FORM
    ]


def _place(kind: Kind[Any]) -> tuple[int, str]:
    return ORDER.index(kind.name) if kind.name in ORDER else len(ORDER), kind.title


def chosen(task: AnalysisTask) -> dict[str, str]:
    """Its parameters as texts, but for those that are what they are when nobody says."""
    kind = kinds().get(task.kind)
    usual = {field.name: field.default for field in structs.fields(kind.Parameters)} if kind else {}
    given = {name: value for name, value in task.parameters.items() if value not in (None, [], "")}
    return {name: _text(value) for name, value in given.items() if name not in usual or value != usual[name]}


def _text(value: Any) -> str:
    return ", ".join(map(cell, value)) if isinstance(value, list) else cell(value)


def titles() -> dict[str, str]:
    return {name: kind.title for name, kind in kinds().items()}
