"""Somebody asks for an analysis: what they give is checked, and what it names must lie within their reach."""

from typing import Any

from access.models import Scope
from access.principals import Principal
from datasets import analyses, parameters, visibility
from datasets.analyses import Asked
from datasets.errors import InvalidAnalysis, TooManyTasks
from datasets.kinds.kind import Kind
from datasets.models import OPEN, AnalysisTask, Dataset

MOST_OPEN = 100
"""Tasks of one asker that wait or run: others wait behind them."""


def ask(asker: Principal, by: str, dataset: Dataset, kind: str, given: Any, *, fresh: bool = False) -> Asked:
    """As `analyses.request`, of a dataset on which the asker may operate. Raises InvalidAnalysis, AnalysisError,
    TooManyTasks.
    """
    if AnalysisTask.objects.filter(created_by=by, status__in=OPEN).count() >= MOST_OPEN:
        raise TooManyTasks(MOST_OPEN)
    chosen = parameters.kind_of(kind)
    read = parameters.read(chosen, given)
    return analyses.request(dataset, chosen, read, by, other=_other(asker, chosen, read), fresh=fresh)


def _other(asker: Principal, kind: Kind[Any], read: dict[str, Any]) -> Dataset | None:
    """The second dataset that the parameters name."""
    named = read.get("other")
    if not kind.takes_other or named is None:
        return None
    found = Dataset.objects.filter(visibility.seen(asker, Scope.OPERATE), pk=named).first()
    if found is None:
        raise InvalidAnalysis("parameters", ("other",), f"There is no dataset {named}.")
    return found
