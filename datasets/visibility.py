"""Who sees which dataset: nobody to whom it would be a way to data that they may not read.

A dataset of events lies within the reach of who has all its streams, one that names none of who has all that there are;
so do datasets of records and their source. An upload is of its owner, and of those whose reach has no limits. What an
analysis has to tell is for those who see all that it ran on, as that was then, and the dataset as it is now.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from access.models import Scope
from access.principals import Principal
from access.reach import EVERYWHERE
from datasets.models import Dataset, DatasetKind

NOTHING = Q(pk__in=[])


def seen(asker: Principal, scope: str, prefix: str = "") -> Q:
    """A condition on datasets: those within the reach of the asker's scope. `prefix`: the way to their fields."""
    reach = asker.reach(scope)
    if not reach:
        return NOTHING
    if reach == EVERYWHERE:
        return Q()
    events, records, uploads = (Q(**{f"{prefix}kind": kind.value}) for kind in DatasetKind)
    if reach.streams is not None:
        events &= Q(**{f"{prefix}definition__streams__contained_by": sorted(reach.streams)})
    if reach.sources is not None:
        records &= Q(**{f"{prefix}definition__source__in": sorted(reach.sources)})
    return events | records | (uploads & Q(**{f"{prefix}owner": asker.name}))


def tasks_seen(asker: Principal, scope: str) -> Q:
    """A condition on analysis tasks."""
    now, first, second = (seen(asker, scope, way) for way in ("dataset__", "selections__0__", "selections__1__"))
    if second:  # without it there is no condition: one that is empty would leave the other to stand alone
        second |= Q(selections__1__isnull=True)
    return now & first & second


def sees(asker: Principal, scope: str, dataset: Dataset) -> bool:
    if dataset.kind == DatasetKind.UPLOAD:
        return bool(asker.reach(scope)) and (dataset.owner == asker.name or asker.reach(scope) == EVERYWHERE)
    return not lacks(asker, scope, dataset.kind, dataset.definition)


def may_change(asker: Principal, dataset: Dataset) -> bool:
    """Its owner as long as they may operate on what it is of, and who may manage that."""
    is_owner = dataset.owner == asker.name
    return sees(asker, Scope.MANAGE, dataset) or (is_owner and sees(asker, Scope.OPERATE, dataset))


def lacks(asker: Principal, scope: str, kind: str, definition: Mapping[str, Any]) -> str:
    """What a definition asks for beyond the reach of the scope, in words; "" for nothing."""
    reach = asker.reach(scope)
    if kind == DatasetKind.EVENTS and reach.streams is not None:
        missing = sorted(set(definition.get("streams") or ()) - reach.streams)
        if not definition.get("streams"):
            return "all streams"
        return f"the stream '{missing[0]}'" if missing else ""
    if kind == DatasetKind.RECORDS and not reach.has_source(definition.get("source")):
        return f"the source '{definition['source']}'" if definition.get("source") else "all sources"
    return "" if reach else "anything"
