"""The management API's view of streams and dead letters."""

from typing import Any, ClassVar

from rest_framework import serializers

from ingest import field_indexes
from ingest.conditions import InvalidCondition
from ingest.models import DeadLetter, IndexKind, SchemaMode, Stream
from ingest.schemas import InvalidSchema, compile_schema


class StreamSerializer(serializers.ModelSerializer[Stream]):
    """A stream's settings, its events stored and duplicates since the beginning, its dead letters as of now."""

    events = serializers.IntegerField(read_only=True)
    bytes = serializers.IntegerField(read_only=True)
    duplicates = serializers.IntegerField(read_only=True)
    dead_letters = serializers.IntegerField(read_only=True)
    last_minute = serializers.DateTimeField(read_only=True, help_text="Minute in which its newest event was received.")

    class Meta:
        model = Stream
        fields: ClassVar = [
            "name",
            "key_path",
            "time_path",
            "type_path",
            "schema",
            "schema_mode",
            "retention_days",
            "created_at",
            "events",
            "bytes",
            "duplicates",
            "dead_letters",
            "last_minute",
        ]

    def validate_name(self, name: str) -> str:
        if self.instance is not None and name != self.instance.name:
            raise serializers.ValidationError("A stream keeps its name.")
        return name

    def validate_schema(self, schema: Any) -> Any:
        if schema is not None:
            try:
                compile_schema(schema)
            except InvalidSchema as error:
                raise serializers.ValidationError(str(error)) from error
        return schema

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        mode, schema = (fields.get(name, getattr(self.instance, name, None)) for name in ("schema_mode", "schema"))
        if mode not in (None, SchemaMode.OFF) and schema is None:
            raise serializers.ValidationError({"schema_mode": f"There is no schema to {mode}: give one, or say off."})
        return fields


class FieldIndexSerializer(serializers.Serializer[Any]):
    """Of `field_indexes.Described`."""

    id = serializers.IntegerField(source="index.pk", read_only=True)
    path = serializers.CharField(source="index.path", help_text="As in a filter: `payload.motor.speed`.")
    kind = serializers.ChoiceField(
        IndexKind.choices, source="index.kind", help_text="What the filters compare with: texts, or numbers."
    )
    state = serializers.ChoiceField(
        [field_indexes.BUILDING, field_indexes.READY, field_indexes.FAILED],
        read_only=True,
        help_text="`building`: or waiting for that. `failed`: tried again after ten minutes; `error` says why.",
    )
    error = serializers.CharField(source="index.error", read_only=True)
    partitions = serializers.IntegerField(read_only=True, help_text="Days of events, each of which gets its own.")
    built = serializers.IntegerField(read_only=True, help_text="How many of them have it.")
    bytes = serializers.IntegerField(read_only=True, help_text="Of all of them on disk.")
    created_at = serializers.DateTimeField(source="index.created_at", read_only=True)

    def validate_path(self, path: str) -> str:
        try:
            field_indexes.check_path(path)
        except InvalidCondition as error:
            raise serializers.ValidationError(str(error)) from error
        return path

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        """What a FieldIndex is made of."""
        return dict(fields["index"])


class DeadLetterSerializer(serializers.ModelSerializer[DeadLetter]):
    """`payload` is text: the event as it was sent, since it may be no JSON that can be shown as such."""

    stream = serializers.CharField(source="stream.name", default=None)

    class Meta:
        model = DeadLetter
        fields: ClassVar = [
            "id",
            "stream",
            "key",
            "type",
            "time",
            "received_at",
            "payload",
            "reason",
            "detail",
            "failed_at",
            "attempts",
        ]


class EditedSerializer(serializers.Serializer[Any]):
    """For the API's description; the payload is stored as it was sent, character by character."""

    payload = serializers.DictField(required=False, help_text="To be stored in place of what could not be.")


class ReplayedSerializer(serializers.Serializer[Any]):
    stored = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    dead = serializers.IntegerField(help_text="Refused again.")


class ReplayedManySerializer(ReplayedSerializer):
    remaining = serializers.IntegerField(help_text="Letters that the parameters still select.")


class DiscardedSerializer(serializers.Serializer[Any]):
    discarded = serializers.IntegerField()
    remaining = serializers.IntegerField(help_text="Letters that the parameters still select.")


class EventSerializer(serializers.Serializer[Any]):
    """For the API's description; answers are built from the table's own JSON text."""

    id = serializers.UUIDField()
    stream = serializers.CharField()
    type = serializers.CharField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    time = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField()
    payload = serializers.JSONField()


class ReceiptSerializer(EventSerializer):
    status = serializers.ChoiceField(["buffered", "stored", "dead"])
    duplicate_of = serializers.UUIDField(required=False)


class EventPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    results = EventSerializer(many=True, help_text="With `fields`, of each event these members alone.")


class AggregateSerializer(serializers.Serializer[Any]):
    """Rows in order of time and groups; without a bucket those that count most first."""

    bucket = serializers.CharField(allow_null=True, help_text="As it was asked for.")
    rows = serializers.ListField(
        child=serializers.DictField(),
        help_text="`bucket` (its beginning, if buckets were asked for), then a member for each `group_by` and each"
        ' `measure`, called as they were: `{"bucket": "2026-01-31T12:00:00Z", "type": "alarm", "p95:payload.ms": 12}`.',
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        ["rollups", "events"], help_text="rollups: counts that were kept ready by minute."
    )
    truncated = serializers.BooleanField(help_text="There were more than 10,000 rows.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        times = {name: serializers.DateTimeField() for name in ("from", "until")}
        return {**times, **super().get_fields()}
