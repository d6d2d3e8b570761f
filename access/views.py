"""API keys over HTTP, for administrators who are logged in."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets

from access import audit
from access.keys import create_key, described, revoke_key
from access.models import ApiKey, Scope
from access.permissions import IsAdmin


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """`key` is shown once, in the answer that creates it."""

    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), min_length=1)
    key = serializers.SerializerMethodField()

    class Meta:
        model = ApiKey
        fields: ClassVar = [
            "id",
            "name",
            "scopes",
            "streams",
            "sources",
            "events_per_second",
            "created_at",
            "expires_at",
            "revoked_at",
            "key",
        ]
        read_only_fields: ClassVar = ["id", "created_at", "revoked_at"]

    def get_key(self, key: ApiKey) -> str | None:
        return getattr(key, "token", None)

    def create(self, validated_data: dict[str, Any]) -> ApiKey:
        key, token = create_key(**validated_data)
        key.token = token  # type: ignore[attr-defined]
        return key


@extend_schema(tags=["keys"])
class ApiKeyViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[ApiKey],
):
    """API keys. DELETE revokes one: it stays listed, with the time."""

    queryset = ApiKey.objects.all()
    serializer_class = ApiKeySerializer
    permission_classes = [IsAdmin]
    pagination_class = None
    lookup_value_regex = "[0-9a-f]{12}"

    def get_queryset(self) -> "QuerySet[ApiKey]":
        return ApiKey.objects.all()

    @transaction.atomic
    def perform_create(self, serializer: Any) -> None:
        key = serializer.save()
        audit.record(self.request, "key.create", "key", key.pk, key.name, described(key))

    @transaction.atomic
    def perform_destroy(self, instance: ApiKey) -> None:
        revoke_key(instance)
        audit.record(self.request, "key.revoke", "key", instance.pk, instance.name)
