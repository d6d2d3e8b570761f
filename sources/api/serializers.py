from typing import Any, ClassVar

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sources import records, secrets, validation
from sources.errors import RowRejected
from sources.keys import MOST_CHARACTERS
from sources.models import OPEN, Record, Run, RunLog, Source, SourceVersion, Upload


class Definition(serializers.JSONField):
    """Errors are said by the place in the document."""

    def to_internal_value(self, data: Any) -> Any:
        document = super().to_internal_value(data)
        try:
            validation.read(document)
        except validation.InvalidDefinition as error:
            raise serializers.ValidationError(
                [{"pointer": problem.pointer, "message": problem.message} for problem in error.problems]
            ) from error
        return document


class RunSerializer(serializers.ModelSerializer[Run]):
    source_name = serializers.CharField(source="source.name", read_only=True)
    duration_seconds = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields: ClassVar = [
            *("id", "source", "source_name", "version", "status", "trigger", "triggered_by", "parent"),
            *("window_start", "window_end", "created_at", "not_before", "started_at", "ended_at", "duration_seconds"),
            *("attempt", "cancel_requested", "counts", "statuses", "bytes", "pages", "state_before", "state_after"),
            *("error", "detail"),
        ]
        read_only_fields = fields

    def get_duration_seconds(self, run: Run) -> float | None:
        if run.started_at is None or run.ended_at is None:
            return None
        return (run.ended_at - run.started_at).total_seconds()


class RunLogSerializer(serializers.ModelSerializer[RunLog]):
    class Meta:
        model = RunLog
        fields: ClassVar = ["at", "level", "message"]


class RunDetailSerializer(RunSerializer):
    """With its log, and samples of the rows that were left out."""

    log = RunLogSerializer(many=True, read_only=True)

    class Meta(RunSerializer.Meta):
        fields: ClassVar = [*RunSerializer.Meta.fields, "rejected", "log"]
        read_only_fields = fields


class SourceSerializer(serializers.ModelSerializer[Source]):
    """Give `definition`, or the short form: `endpoint_url`, and `every` and `key` where the defaults do not fit."""

    definition = Definition(required=False)
    endpoint_url = serializers.CharField(write_only=True, required=False)
    every = serializers.JSONField(write_only=True, required=False)
    key = serializers.JSONField(write_only=True, required=False)
    secrets = serializers.DictField(child=serializers.CharField(), write_only=True, required=False)
    secret_names = serializers.SerializerMethodField()
    last_run = serializers.SerializerMethodField()

    class Meta:
        model = Source
        fields: ClassVar = [
            *("id", "name", "active", "version", "definition", "endpoint_url", "every", "key", "secrets"),
            *("secret_names", "state", "next_run_at", "failures", "last_run", "created_at", "updated_at"),
        ]
        read_only_fields: ClassVar = ["version", "state", "next_run_at", "failures", "created_at", "updated_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        short: dict[str, Any] = {name: attrs.pop(name) for name in ("endpoint_url", "every", "key") if name in attrs}
        if short and "definition" in attrs:
            raise serializers.ValidationError("Give either 'definition' or the short form, not both.")
        if short:
            attrs["definition"] = self._written_out(short)
        elif self.instance is None and "definition" not in attrs:
            raise serializers.ValidationError("Give 'definition', or 'endpoint_url' of the short form.")
        return attrs

    def _written_out(self, short: dict[str, Any]) -> dict[str, Any]:
        if "endpoint_url" not in short:
            raise serializers.ValidationError({"endpoint_url": "The short form needs it."})
        try:
            document = validation.written_out(short)
            validation.read(document)
        except validation.InvalidDefinition as error:
            raise serializers.ValidationError([str(error)]) from error
        return document

    def get_secret_names(self, source: Source) -> list[str]:
        return secrets.names(source)

    def get_last_run(self, source: Source) -> dict[str, Any] | None:
        run = source.runs.exclude(status__in=OPEN).first()
        return RunSerializer(run).data if run else None


class VersionSerializer(serializers.ModelSerializer[SourceVersion]):
    class Meta:
        model = SourceVersion
        fields: ClassVar = ["version", "definition", "created_at", "created_by"]


@extend_schema_field(OpenApiTypes.ANY)
class Value(serializers.Field[Any, Any, Any, Any]):
    """Any JSON: the `text` that PostgreSQL has of it when it is shown, a Content when it is given."""

    def get_attribute(self, instance: Any) -> Any:
        return instance.text

    def to_representation(self, value: str) -> orjson.Fragment:
        return orjson.Fragment(value)

    def to_internal_value(self, data: Any) -> records.Content:
        try:
            return records.content(data)
        except RowRejected as rejection:
            raise serializers.ValidationError([str(rejection)], rejection.code) from rejection


class OfSource(serializers.PrimaryKeyRelatedField[Source]):
    """Serializers that share `sources`, a dictionary in their context, look each up once."""

    def to_internal_value(self, data: Any) -> Any:
        known = self.context.get("sources")
        if known is None or type(data) is not int:
            return super().to_internal_value(data)
        if data not in known:
            known[data] = super().to_internal_value(data)  # type: ignore[arg-type]
        return known[data]


class RecordSerializer(serializers.ModelSerializer[Record]):
    """Whether the key is taken is found out when the record is written."""

    source = OfSource(queryset=Source.objects.all(), allow_null=True, default=None)  # type: ignore[assignment]
    source_name = serializers.CharField(source="source.name", read_only=True, allow_null=True)
    key = serializers.CharField(max_length=MOST_CHARACTERS, trim_whitespace=False)
    value = Value()

    class Meta:
        model = Record
        validators: ClassVar[list[Any]] = []
        fields: ClassVar = [
            *("id", "source", "source_name", "key", "value", "starts_at", "ends_at", "created_at", "updated_at"),
        ]
        read_only_fields: ClassVar = ["created_at", "updated_at"]


class UploadSerializer(serializers.ModelSerializer[Upload]):
    sha256 = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields: ClassVar = ["id", "name", "content_type", "size", "sha256", "created_at", "created_by"]

    def get_sha256(self, upload: Upload) -> str | None:
        return bytes(upload.sha256).hex() if upload.sha256 else None
