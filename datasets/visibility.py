"""Who sees which dataset: nobody to whom it would be a way to data that they may not read.

A dataset of events lies within the reach of who has all its streams, one that names none of who has all that there are;
so do datasets of records and their source. An upload is of its owner, and of those whose reach has no limits. What an
analysis has to tell is for those who see all that it ran on, as that was then, and the dataset as it is now.
"""

from typing import NamedTuple

from django.db.models import Q

from access.models import Scope
from access.principals import Principal
from access.reach import EVERYWHERE
from datasets.models import Dataset, DatasetKind

NOTHING = Q(pk__in=[])


class Bound(NamedTuple):
    """What a dataset may be of: names `within` these, None: whatever there is. `lookup`: for this in a query."""

    lookup: str
    within: frozenset[str] | None
    what: str


def seen(asker: Principal, scope: str, prefix: str = "") -> Q:
    """A condition on datasets: those within the reach of the asker's scope. `prefix`: the way to their fields."""
    if asker.reach(scope) == EVERYWHERE:
        return Q()
    found = NOTHING
    for kind, bound in _bounds(asker, scope).items():
        within = Q() if bound.within is None else Q(**{f"{prefix}{bound.lookup}": sorted(bound.within)})
        found |= Q(**{f"{prefix}kind": kind}) & within
    return found


def tasks_seen(asker: Principal, scope: str) -> Q:
    """A condition on analysis tasks."""
    now, first, second = (seen(asker, scope, way) for way in ("dataset__", "selections__0__", "selections__1__"))
    if second:  # without it there is no condition: one that is empty would leave the other to stand alone
        second |= Q(selections__1__isnull=True)
    return now & first & second


def sees(asker: Principal, scope: str, dataset: Dataset) -> bool:
    return not lacks(asker, scope, dataset)


def may_change(asker: Principal, dataset: Dataset) -> bool:
    """Its owner as long as they may operate on what it is of, and who may manage that."""
    is_owner = dataset.owner == asker.name
    return sees(asker, Scope.MANAGE, dataset) or (is_owner and sees(asker, Scope.OPERATE, dataset))


def lacks(asker: Principal, scope: str, dataset: Dataset) -> str:
    """What it is of beyond the reach of the scope, in words; "" for nothing."""
    _, within, what = _bounds(asker, scope)[dataset.kind]
    if within is None:
        return ""
    named = _named(dataset)
    missing = sorted(named - within)
    return f"the {what} '{missing[0]}'" if missing else "" if named else f"all {what}s"


def _bounds(asker: Principal, scope: str) -> dict[str, Bound]:
    """By the kind of dataset."""
    reach = asker.reach(scope)
    owners = None if reach == EVERYWHERE else frozenset([asker.name] if reach else [])
    return {
        DatasetKind.EVENTS: Bound("definition__streams__contained_by", reach.streams, "stream"),
        DatasetKind.RECORDS: Bound("definition__source__in", reach.sources, "source"),
        DatasetKind.UPLOAD: Bound("owner__in", owners, "owner"),
    }


def _named(dataset: Dataset) -> frozenset[str]:
    """Its streams, its source or its owner; nothing: it is of all that there are."""
    if dataset.kind == DatasetKind.EVENTS:
        return frozenset(dataset.definition.get("streams") or ())
    one = dataset.owner if dataset.kind == DatasetKind.UPLOAD else dataset.definition.get("source")
    return frozenset([one] if one else ())
