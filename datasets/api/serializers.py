from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.authentication import principal
from access.models import Scope
from datasets import saving, visibility
from datasets.api.answers import problems
from datasets.errors import Invalid
from datasets.models import AnalysisTask, Dataset

MOST_TAGS = 20
MOST_DESCRIPTION = 10_000


class KnownMembers(serializers.Serializer[Any]):
    """What is mistyped is said, and not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            there = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name: [f"There is no such member; there are {there}."] for name in unknown}
            )
        return super().to_internal_value(data)


class DatasetSerializer(KnownMembers, serializers.ModelSerializer[Dataset]):
    """`definition` depends on `kind`: docs/datasets.md. `rows` and `columns` are of the snapshot taken last."""

    tags = serializers.ListField(child=serializers.CharField(max_length=50), max_length=MOST_TAGS, default=list)
    definition = serializers.JSONField()
    owner = serializers.CharField(source="owner_name", read_only=True)
    columns = serializers.SerializerMethodField()
    may_change = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields: ClassVar = [
            *("id", "name", "description", "tags", "kind", "definition", "version", "owner", "rows", "columns"),
            *("snapshot_at", "created_at", "updated_at", "may_change"),
        ]
        extra_kwargs: ClassVar = {"description": {"max_length": MOST_DESCRIPTION}}
        read_only_fields: ClassVar = ["version", "rows", "snapshot_at", "created_at", "updated_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs.get("kind", self.instance.kind if self.instance else "")
        if self.instance and attrs.pop("kind", kind) != self.instance.kind:
            raise serializers.ValidationError({"kind": ["It cannot be changed: make another dataset."]})
        if "definition" in attrs:
            try:
                attrs["definition"] = saving.read(kind, attrs["definition"])
            except Invalid as error:
                raise serializers.ValidationError(problems("definition", error)) from error
        return attrs

    @extend_schema_field({"type": ["array", "null"], "items": {"type": "object"}})
    def get_columns(self, dataset: Dataset) -> Any:
        return dataset.columns

    def get_may_change(self, dataset: Dataset) -> bool:
        return visibility.may_change(principal(self.context["request"]), dataset)


class ProcessSerializer(KnownMembers):
    """`parameters` depend on `kind`: `GET /api/datasets/kinds/`. `fresh`: also if the result is there already."""

    kind = serializers.CharField(max_length=50)
    parameters = serializers.JSONField(default=dict)
    fresh = serializers.BooleanField(default=False)


class KindSerializer(serializers.Serializer[Any]):
    """`parameters`: their JSON Schema. `takes_other`: among them may be `other`, the id of a second dataset."""

    name = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    takes_other = serializers.BooleanField()
    parameters = serializers.DictField()


class TaskSerializer(serializers.ModelSerializer[AnalysisTask]):
    dataset_name = serializers.CharField(source="dataset.name", read_only=True)
    parameters = serializers.DictField(read_only=True)
    snapshots = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = AnalysisTask
        fields: ClassVar = [
            *("id", "dataset", "dataset_name", "dataset_version", "kind", "kind_version", "parameters", "status"),
            *("progress", "step", "error", "detail", "snapshots", "created_at", "created_by", "started_at", "ended_at"),
        ]
        read_only_fields = fields


class TaskDetailSerializer(TaskSerializer):
    """With its result, for who may read it; null as long as there is none."""

    result = serializers.SerializerMethodField()

    class Meta(TaskSerializer.Meta):
        fields: ClassVar = [*TaskSerializer.Meta.fields, "result"]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_result(self, task: AnalysisTask) -> Any:
        asker = principal(self.context["request"])
        may_read = AnalysisTask.objects.filter(visibility.tasks_seen(asker, Scope.READ), pk=task.pk).exists()
        return task.result if may_read else None


class SampleSerializer(serializers.Serializer[Any]):
    """`columns`: [{"name", "type"}]."""

    columns = serializers.ListField(child=serializers.DictField())
    rows = serializers.ListField(child=serializers.ListField())
    snapshot = serializers.DictField()
