"""`/api/datasets/`: selections of what is stored, and files."""

from typing import Any
from urllib.parse import unquote
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.authentication import principal
from access.differences import difference
from access.errors import PermissionDenied
from access.models import Scope
from access.permissions import scope_of
from datasets import definition, saving, sniffing, visibility
from datasets.api.answers import said
from datasets.api.filters import ByName, DatasetFilter, Strict
from datasets.api.processing import Processing
from datasets.api.serializers import DatasetSerializer
from datasets.doorbell import ring
from datasets.errors import InvalidDataset, NameTaken
from datasets.models import Dataset, DatasetKind
from sources import uploads
from sources.api.uploads import Bytes
from sources.errors import SourceError

AUDITED = ("name", "description", "tags", "kind", "definition")
NO_UPLOAD = str(UUID(int=0))


@extend_schema(tags=["datasets"])
class DatasetViewSet(Processing, viewsets.ModelViewSet[Dataset]):
    """Selections of events or records, and uploaded files, to be analysed."""

    queryset = Dataset.objects.all()
    serializer_class = DatasetSerializer
    filter_backends = [Strict]
    filterset_class = DatasetFilter
    pagination_class = ByName
    ordering_fields = ["name", "created_at", "updated_at", "rows"]
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    write_scope = Scope.OPERATE

    def get_queryset(self) -> "QuerySet[Dataset]":
        return Dataset.objects.filter(visibility.seen(principal(self.request), scope_of(self.request, self)))

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        with said(), transaction.atomic():
            self._check(given["kind"], given["definition"])
            serializer.instance = self._make(Dataset(**given))
        ring()

    def perform_update(self, serializer: Any) -> None:
        given = serializer.validated_data
        with said(), transaction.atomic():
            old = get_object_or_404(Dataset.objects.select_for_update(), pk=serializer.instance.pk)
            self._require_changeable(old)
            if given.get("definition", old.definition) != old.definition:
                self._check(old.kind, given["definition"])
            serializer.instance = saving.change(old, given, self._name()).dataset
            changes = difference(_audited(old), _audited(serializer.instance))
            audit.record(self.request, "dataset.update", "dataset", old.pk, serializer.instance.name, changes)
        ring()

    def perform_destroy(self, instance: Dataset) -> None:
        self._require_changeable(instance)
        with transaction.atomic():
            audit.record(self.request, "dataset.delete", "dataset", instance.pk, instance.name)
            saving.delete(instance)

    def _make(self, dataset: Dataset, **noted: Any) -> Dataset:
        dataset.owner, dataset.owner_name = principal(self.request).name, self._name()
        made = saving.make(dataset, self._name()).dataset
        changes = {**difference({}, _audited(made)), **noted}
        audit.record(self.request, "dataset.create", "dataset", made.pk, made.name, changes)
        return made

    def _name(self) -> str:
        return audit.actor(self.request)[1][:200]

    def _require_changeable(self, dataset: Dataset) -> None:
        if not visibility.may_change(principal(self.request), dataset):
            raise PermissionDenied(
                f"It belongs to {dataset.owner_name or dataset.owner}: they may change it, and who may manage all that"
                " it is of."
            )

    def _check(self, kind: str, document: dict[str, Any]) -> None:
        """Raises PermissionDenied, InvalidDataset."""
        asker, scope = principal(self.request), scope_of(self.request, self)
        if kind == DatasetKind.UPLOAD:
            file = msgspec.convert(document, definition.File)
            saving.usable_upload(asker, scope, file)
            sniffing.check(file)
        elif missing := visibility.lacks(asker, scope, Dataset(kind=kind, definition=document)):
            raise PermissionDenied(f"Your scope '{scope}' is not for {missing}.")

    @extend_schema(
        parameters=[
            OpenApiParameter("name", str, required=True, description="What the file is called: `prices.csv`."),
            OpenApiParameter("dataset", str, description="What the dataset is called; else as the file."),
        ],
        request={"*/*": bytes},
        responses={201: DatasetSerializer},
        filters=False,
    )
    @action(detail=False, methods=["post"], url_path="upload", parser_classes=[Bytes])
    def upload(self, request: Request) -> Response:
        """A dataset of the file that is the body: `curl --data-binary @prices.csv '…?name=prices.csv'`."""
        file, title = unquote(request.query_params.get("name", "")), request.query_params.get("dataset")
        given = {"name": title or file, "kind": DatasetKind.UPLOAD.value, "definition": {"upload": NO_UPLOAD}}
        named, called = DatasetSerializer(data=given), "dataset" if title else "name"
        if not named.is_valid():
            raise ValidationError({called: named.errors["name"]})
        with said():
            try:
                made = self._of_file(request, file, Dataset(**named.validated_data))
            except (SourceError, InvalidDataset) as error:
                raise ValidationError({"file": [str(error)]}) from error
            except NameTaken as error:
                raise ValidationError({called: [str(error)]}) from error
        ring()
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    def _of_file(self, request: Request, name: str, dataset: Dataset) -> Dataset:
        """Keep the body as the file of the new dataset, if there will be one."""
        stored = uploads.store(request.stream, name, request.content_type or "", principal(request).name)
        try:
            sniffing.check(definition.File(stored.pk))
            dataset.definition = {"upload": str(stored.pk)}
            with transaction.atomic():
                return self._make(dataset, file=stored.name, bytes=stored.size)
        except BaseException:
            uploads.delete(stored.pk)
            raise


def _audited(dataset: Dataset) -> dict[str, Any]:
    return {name: getattr(dataset, name) for name in AUDITED}
