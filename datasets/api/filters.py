"""Which datasets and tasks a listing has."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from access.authentication import principal
from datasets.models import Dataset
from ingest import conditional
from sources.api.pagination import Keyset

MINE = "mine"


class ByName(Keyset):
    ordering = "name"


class DatasetFilter(django_filters.FilterSet):  # type: ignore[misc]
    q = django_filters.CharFilter(method="holds", help_text="In the name or the description, or a whole tag.")
    tag = django_filters.CharFilter(method="tagged")
    owner = django_filters.CharFilter(method="of", help_text="A name, or `mine`.")

    class Meta:
        model = Dataset
        fields = ["kind"]

    def holds(self, queryset: "QuerySet[Dataset]", name: str, value: str) -> "QuerySet[Dataset]":
        words = Q(name__icontains=value) | Q(description__icontains=value)
        return queryset.filter(words | Q(tags__contains=[value]))

    def tagged(self, queryset: "QuerySet[Dataset]", name: str, value: str) -> "QuerySet[Dataset]":
        return queryset.filter(tags__contains=[value])

    def of(self, queryset: "QuerySet[Dataset]", name: str, value: str) -> "QuerySet[Dataset]":
        if value == MINE:
            return queryset.filter(owner=principal(self.request).name)
        return queryset.filter(owner_name=value)


def filtered(found: "QuerySet[Dataset]", asked: dict[str, str]) -> "QuerySet[Dataset]":
    """A filter that is mistyped chooses none."""
    filters = DatasetFilter(asked, found)
    chosen: QuerySet[Dataset] = filters.qs if filters.is_valid() else found.none()
    return chosen


class Strict(DjangoFilterBackend):  # type: ignore[misc]
    """Of a listing no parameter is ignored: what is unknown, twice or empty is named, as `ingest.conditional` does."""

    def filter_queryset(self, request: Request, queryset: "QuerySet[Any]", view: Any) -> "QuerySet[Any]":
        if view.action == "list":
            filters = self.get_filterset_class(view, queryset).base_filters
            if problems := _problems(request.query_params, [*filters], view.pagination_class.parameters):
                raise ValidationError(problems)
        found: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return found


def _problems(given: QueryDict, filters: list[str], others: tuple[str, ...]) -> dict[str, list[str]]:
    problems = {}
    for name, texts in given.lists():
        if name not in filters and name not in others:
            problems[name] = [conditional.unknown(", ".join(sorted([*filters, *others])))]
        elif refusal := conditional.refused(texts):
            problems[name] = [refusal]
    return problems
