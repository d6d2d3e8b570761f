import django_filters
from django.db.models import Q, QuerySet

from access.authentication import principal
from datasets.models import Dataset
from sources.api.pagination import Keyset

MINE = "mine"


class ByName(Keyset):
    ordering = "name"


class DatasetFilter(django_filters.FilterSet):  # type: ignore[misc]
    q = django_filters.CharFilter(method="holds", help_text="In the name or the description.")
    tag = django_filters.CharFilter(method="tagged")
    owner = django_filters.CharFilter(method="of", help_text="A name, or `mine`.")

    class Meta:
        model = Dataset
        fields = ["kind"]

    def holds(self, queryset: "QuerySet[Dataset]", name: str, value: str) -> "QuerySet[Dataset]":
        return queryset.filter(Q(name__icontains=value) | Q(description__icontains=value))

    def tagged(self, queryset: "QuerySet[Dataset]", name: str, value: str) -> "QuerySet[Dataset]":
        return queryset.filter(tags__contains=[value])

    def of(self, queryset: "QuerySet[Dataset]", name: str, value: str) -> "QuerySet[Dataset]":
        if value == MINE:
            return queryset.filter(owner=principal(self.request).name)
        return queryset.filter(owner_name=value)
