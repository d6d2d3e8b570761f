"""Query parameters of the listings."""

from typing import Any, ClassVar
from uuid import UUID

import django_filters
from rest_framework import serializers

from ingest import chunks
from ingest.models import DeadLetter
from ingest.reading import MOST_EVENTS


class EventParameters(serializers.Serializer[Any]):
    """Of `GET /api/events/`."""

    stream = serializers.CharField(required=False)
    type = serializers.CharField(required=False)
    key = serializers.CharField(required=False)
    starts_at = serializers.DateTimeField(required=False, help_text="Received at or after this time.")
    ends_at = serializers.DateTimeField(required=False, help_text="Received before this time.")
    order = serializers.ChoiceField(["newest", "oldest"], default="newest")
    limit = serializers.IntegerField(default=100, min_value=1, max_value=MOST_EVENTS)
    cursor = serializers.UUIDField(required=False, help_text="From the `next` of the page before.")

    def validate_cursor(self, cursor: UUID) -> UUID:
        if not chunks.is_id(cursor):
            raise serializers.ValidationError("Not the cursor of a page.")
        return cursor


class BatchParameters(serializers.Serializer[Any]):
    """Of what is done to all dead letters of a filter."""

    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=10_000, help_text="Take at most so many, the oldest. Default: all."
    )


class DeadLetterFilter(django_filters.FilterSet):  # type: ignore[misc]
    stream = django_filters.CharFilter("stream__name")
    starts_at = django_filters.IsoDateTimeFilter("failed_at", "gte")
    ends_at = django_filters.IsoDateTimeFilter("failed_at", "lt")

    class Meta:
        model = DeadLetter
        fields: ClassVar = ["reason", "type", "key"]
