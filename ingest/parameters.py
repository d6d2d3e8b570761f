"""Query parameters of what reads events."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from ingest import aggregates, chunks, conditional
from ingest.aggregate_query import Bucket, Group, Measure
from ingest.conditional import Conditional, read
from ingest.files import FORMATS
from ingest.reading import MOST_EVENTS
from ingest.selection import EVENTS

CONDITIONS = conditional.described(EVENTS.document)


class EventFilter(Conditional):
    """Which events, of one stream."""

    column = EVENTS.document

    type = serializers.ListField(child=serializers.CharField(), required=False, help_text="Repeat it for several.")
    key = serializers.CharField(required=False)
    starts_at = serializers.DateTimeField(required=False, help_text="Received at or after this time.")
    ends_at = serializers.DateTimeField(required=False, help_text="Received before this time.")
    q = serializers.CharField(
        required=False,
        help_text='Words that the texts of the payload hold, in any order: `pump "oil leak" -test`, `pump or valve`.',
    )


class Selecting(conditional.Selecting):
    table = EVENTS


class OfStreams(serializers.Serializer[Any]):
    stream = serializers.ListField(child=serializers.CharField(), required=False, help_text="Repeat it for several.")


class StreamEventParameters(Selecting, EventFilter):
    """Of `GET /api/streams/{stream}/events/`."""

    order = serializers.ChoiceField(["newest", "oldest"], default="newest")
    limit = serializers.IntegerField(default=100, min_value=1, max_value=MOST_EVENTS)
    cursor = serializers.UUIDField(required=False, help_text="From the `next` of the page before.")

    def validate_cursor(self, cursor: UUID) -> UUID:
        if not chunks.is_id(cursor):
            raise serializers.ValidationError("Not the cursor of a page.")
        return cursor


class EventParameters(OfStreams, StreamEventParameters):
    """Of `GET /api/events/`."""


class StreamExportParameters(Selecting, EventFilter):
    format = serializers.ChoiceField(sorted(FORMATS), default="ndjson")


class ExportParameters(OfStreams, StreamExportParameters):
    pass


class StreamAggregateParameters(EventFilter):
    bucket = serializers.CharField(
        required=False, help_text="`minute`, `hour`, `day`, or a number with s, m, h or d: `15m`. Default: all in one."
    )
    group_by = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="`stream`, `type` or `payload.<path>`; repeat it for two.",
    )
    measure = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="`count` (default), or `sum`, `avg`, `min`, `max`, `p50`, `p95`, `p99` of the numbers at a path:"
        " `p95:payload.ms`. Repeat it for several.",
    )

    def validate_bucket(self, text: str) -> Bucket:
        return read(aggregates.parse_bucket, text)

    def validate_group_by(self, texts: list[str]) -> tuple[Group, ...]:
        return read(aggregates.parse_groups, texts)

    def validate_measure(self, texts: list[str]) -> tuple[Measure, ...]:
        return read(aggregates.parse_measures, texts)


class AggregateParameters(OfStreams, StreamAggregateParameters):
    pass
