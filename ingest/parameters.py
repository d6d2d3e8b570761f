"""Query parameters of what reads events: none is ignored. What is unknown, twice or wrong is named."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from ingest import aggregates, chunks, conditions
from ingest.columns import Selection
from ingest.conditions import Condition, InvalidCondition
from ingest.files import FORMATS
from ingest.reading import MOST_EVENTS
from ingest.selection import EVENTS

PAYLOAD = "payload"
MOST_CONDITIONS = 16

Problems = dict[str, list[str]]
Given = TypeVar("Given")
Parsed = TypeVar("Parsed")

CONDITIONS = OpenApiParameter(
    "conditions",
    {"type": "object", "additionalProperties": {"type": "string"}, "example": {"payload.site": "oslo"}},
    style="form",
    explode=True,
    description="Parameters of their own, as many as 16: `payload.site=oslo`, `payload.motor.speed__gte=1200`. Dots"
    " lead into objects, a number into an array. After `__`: `eq` (also without), `ne`, `gt`, `gte`, `lt`, `lte`, `in`"
    " (comma-separated), `contains` (a text within a text, an element of an array), `exists` (true or false). A value"
    " that is a JSON number, string, true, false or null is compared as such, anything else as text."
    ' `payload@={"a": 1}`: the payload contains this JSON.',
)


class EventFilter(serializers.Serializer[Any]):
    """Which events, of one stream. `validated_data` has `conditions` beside the fields."""

    type = serializers.ListField(child=serializers.CharField(), required=False, help_text="Repeat it for several.")
    key = serializers.CharField(required=False)
    starts_at = serializers.DateTimeField(required=False, help_text="Received at or after this time.")
    ends_at = serializers.DateTimeField(required=False, help_text="Received before this time.")
    q = serializers.CharField(
        required=False,
        help_text='Words that the texts of the payload hold, in any order: `pump "oil leak" -test`, `pump or valve`.',
    )

    def to_internal_value(self, data: QueryDict) -> dict[str, Any]:
        found, problems = self._conditions(data)
        for name, texts in data.lists():
            if name not in self.fields:
                if not conditions.is_condition(name, PAYLOAD):
                    problems[name] = [f"There is no such parameter; there are {self._names()}."]
            elif len(texts) > 1 and not isinstance(self.fields[name], serializers.ListField):
                problems[name] = ["It is there twice."]
            elif not texts[-1]:
                problems[name] = ["It is empty: leave it out."]
        try:
            asked = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **problems}) from error  # type: ignore[dict-item]
        if problems:
            raise serializers.ValidationError(problems)
        return {**asked, "conditions": found}

    def _conditions(self, data: QueryDict) -> tuple[tuple[Condition, ...], Problems]:
        found: list[Condition] = []
        problems: Problems = {}
        for name, texts in data.lists():
            try:
                if conditions.is_condition(name, PAYLOAD):
                    found += [conditions.parse(name, text, PAYLOAD) for text in texts]
                elif name == "q" and texts[-1].strip():
                    found.append(conditions.parse_words(texts[-1]))
            except InvalidCondition as error:
                problems[name] = [str(error)]
            if len(found) > MOST_CONDITIONS:
                problems[name] = [f"There are more than {MOST_CONDITIONS} conditions."]
                break
        return tuple(found), problems

    def _names(self) -> str:
        return ", ".join([*sorted(self.fields), "payload.<path>", "payload@"])


class Selecting(serializers.Serializer[Any]):
    fields = serializers.CharField(  # type: ignore[assignment]
        required=False, help_text="What is shown of each event: `id,received_at,payload.site`. Default: all."
    )

    def validate_fields(self, text: str) -> Selection:
        return _read(EVENTS.parse_selection, text)


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

    def validate_bucket(self, text: str) -> aggregates.Bucket:
        return _read(aggregates.parse_bucket, text)

    def validate_group_by(self, texts: list[str]) -> tuple[aggregates.Group, ...]:
        return _read(aggregates.parse_groups, texts)

    def validate_measure(self, texts: list[str]) -> tuple[aggregates.Measure, ...]:
        return _read(aggregates.parse_measures, texts)


class AggregateParameters(OfStreams, StreamAggregateParameters):
    pass


def _read(parse: Callable[[Given], Parsed], given: Given) -> Parsed:
    try:
        return parse(given)
    except InvalidCondition as error:
        raise serializers.ValidationError(str(error)) from error
