"""Query parameters of dead letters."""

from typing import Any, ClassVar

import django_filters
from rest_framework import serializers

from ingest.models import DeadLetter


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
