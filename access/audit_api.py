"""`/api/audit/`: the audit log, for those who may manage everything."""

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.pagination import CursorPagination

from access.authentication import principal
from access.errors import PermissionDenied
from access.models import AuditEntry, Scope
from access.principals import Principal

OF_EVERYTHING = "The audit log is of everything, and you may manage some things only."


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]
    actor = django_filters.CharFilter(method="by", help_text="`user:<id>`, `key:<id>`, or their name.")
    action = django_filters.CharFilter(help_text="Such as `source.update`.")
    object = django_filters.CharFilter(
        method="about", help_text="A type, or one of it: `source`, `source:<id or name>`."
    )
    since = django_filters.IsoDateTimeFilter("at", "gte")
    until = django_filters.IsoDateTimeFilter("at", "lt")

    class Meta:
        model = AuditEntry
        fields: ClassVar = ["actor", "action", "object", "since", "until"]

    def by(self, entries: "QuerySet[AuditEntry]", name: str, value: str) -> "QuerySet[AuditEntry]":
        return entries.filter(Q(actor=value) | Q(actor_name=value))

    def about(self, entries: "QuerySet[AuditEntry]", name: str, value: str) -> "QuerySet[AuditEntry]":
        kind, _, one = value.partition(":")
        entries = entries.filter(object_type=kind)
        return entries.filter(Q(object_id=one) | Q(object_name=one)) if one else entries


class AuditPagination(CursorPagination):
    ordering = "-id"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000


class AuditSerializer(serializers.ModelSerializer[AuditEntry]):
    class Meta:
        model = AuditEntry
        fields: ClassVar = [
            *("id", "at", "actor", "actor_name", "action", "object_type", "object_id", "object_name"),
            *("changes", "address", "request_id"),
        ]
        read_only_fields = fields


@extend_schema(tags=["audit"])
class AuditViewSet(viewsets.ReadOnlyModelViewSet[AuditEntry]):
    """Who changed what, the newest first. Needs the scope `manage`, for everything."""

    queryset = AuditEntry.objects.all()
    serializer_class = AuditSerializer
    filterset_class = AuditFilter
    pagination_class = AuditPagination
    read_scope = Scope.MANAGE
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> "QuerySet[AuditEntry]":
        require_all(principal(self.request))
        return AuditEntry.objects.all()


def require_all(asker: Principal) -> None:
    """Raises PermissionDenied for who may not see all of the log."""
    asker.require(Scope.MANAGE)
    if not asker.is_admin:
        raise PermissionDenied(OF_EVERYTHING)


def filtered(asked: dict[str, Any]) -> "QuerySet[AuditEntry]":
    """Newest first. A filter that is mistyped chooses none."""
    filters = AuditFilter(asked, AuditEntry.objects.all())
    found: QuerySet[AuditEntry] = filters.qs if filters.is_valid() else AuditEntry.objects.none()
    return found
