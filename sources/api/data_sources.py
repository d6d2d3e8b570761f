"""`/api/data_sources/`: sources, and what one can do with them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.authentication import principal
from access.differences import Changes, difference
from access.models import Scope
from access.permissions import reach
from access.principals import Principal
from sources import backfills, runs, saving, secrets, trying, validation
from sources.api.serializers import RunSerializer, SourceSerializer, VersionSerializer
from sources.definition import Definition
from sources.doorbell import ring
from sources.errors import BadDefinition, SourceError
from sources.models import Source, Trigger


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "already_running"


class Backfill(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    step_seconds = serializers.FloatField(min_value=60, default=86_400.0)


@extend_schema(tags=["sources"])
class SourceViewSet(viewsets.ModelViewSet[Source]):
    """Places that data is pulled from."""

    queryset = Source.objects.all()
    serializer_class = SourceSerializer
    filterset_fields = ["name", "active"]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    write_scope = Scope.MANAGE

    def get_queryset(self) -> "QuerySet[Source]":
        return Source.objects.filter(reach(self).of_sources())

    def perform_create(self, serializer: Any) -> None:
        self._save(Source(name=serializer.validated_data["name"]), serializer)

    def perform_update(self, serializer: Any) -> None:
        self._save(serializer.instance, serializer)

    def perform_destroy(self, instance: Source) -> None:
        pk = instance.pk
        with transaction.atomic():
            saving.delete(instance)
            audit.record(self.request, "source.delete", "source", pk, instance.name)

    def _save(self, source: Source, serializer: Any) -> None:
        given = serializer.validated_data
        try:
            with transaction.atomic():
                if source.pk is not None:  # what is not given stays as it is now, not as it was when it was looked at
                    source = get_object_or_404(Source.objects.select_for_update(), pk=source.pk)
                before = _audited(source) if source.pk else {}
                principal(self.request).require(Scope.MANAGE, source=given.get("name", source.name))
                source.name, source.active = given.get("name", source.name), given.get("active", source.active)
                document = given.get("definition", source.definition)
                _check_load(principal(self.request), document)
                by, fresh = principal(self.request).name, given.get("secrets")
                cleared = saving.save(source, document, by, fresh)
                changes = difference(before, _audited(source))
                action = _action(before, changes)
                if fresh or cleared:
                    changes["secrets"] = {"set": sorted(fresh or ()), "cleared": cleared}
                audit.record(self.request, action, "source", source.pk, source.name, changes)
        except (validation.InvalidDefinition, BadDefinition) as error:
            raise ValidationError({"definition": [str(error)]}) from error
        serializer.instance = source
        ring()

    @extend_schema(request=None, responses={202: RunSerializer})
    @action(detail=True, methods=["post"], write_scope=Scope.OPERATE)
    def run(self, request: Request, pk: str) -> Response:
        """Pull now. 409 while a run is pending or running."""
        trigger = Trigger.API if request.auth else Trigger.HAND  # a key, or somebody who is logged in
        try:
            with transaction.atomic():
                run = runs.request(self.get_object(), trigger, principal(request).name)
                audit.record(request, "run.request", "run", run.pk, run.source.name)
        except runs.AlreadyRunning as error:
            raise Conflict(str(error)) from error
        ring()
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=SourceSerializer)
    @action(detail=True, methods=["post"], url_path="start-over", write_scope=Scope.OPERATE)
    def start_over(self, request: Request, pk: str) -> Response:
        """Forget the cursor: the next run reads everything. 409 while a run is pending or running."""
        source = self.get_object()
        try:
            with transaction.atomic():
                saving.start_over(source)
                audit.record(
                    request, "source.start_over", "source", source.pk, source.name, difference(source.state, {})
                )
        except runs.AlreadyRunning as error:
            raise Conflict(str(error)) from error
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=Backfill, responses={202: RunSerializer})
    @action(detail=True, methods=["post"], write_scope=Scope.OPERATE)
    def backfill(self, request: Request, pk: str) -> Response:
        """Pull a stretch of the past, window by window; the live cursor stays where it is."""
        source, asked = self.get_object(), Backfill(data=request.data)
        asked.is_valid(raise_exception=True)
        window: dict[str, datetime] = {name: asked.validated_data[name] for name in ("starts_at", "ends_at")}
        step = timedelta(seconds=asked.validated_data["step_seconds"])
        try:
            with transaction.atomic():
                run = backfills.begin(source, **window, step=step, by=principal(request).name)
                changes = {**difference({}, window), "step_seconds": step.total_seconds()}
                audit.record(request, "run.backfill", "run", run.pk, run.source.name, changes)
        except BadDefinition as error:
            raise ValidationError([str(error)]) from error
        ring()
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=SourceSerializer, responses=dict)
    @action(detail=True, methods=["post"], url_path="test")
    def try_saved(self, request: Request, pk: str) -> Response:
        """Whether the other side can be reached and lets us in. With a `definition`, of that one."""
        return Response(trying.test(*self._changed(request, self.get_object())))

    @extend_schema(request=SourceSerializer, responses=dict)
    @action(detail=True, methods=["post"], url_path="preview")
    def preview_saved(self, request: Request, pk: str) -> Response:
        """The first 20 rows after each step. With a `definition`, of that one."""
        source = self.get_object()
        return Response(trying.preview(*self._changed(request, source), source))

    @extend_schema(operation_id="data_sources_test_unsaved", request=SourceSerializer, responses=dict)
    @action(detail=False, methods=["post"], url_path="test")
    def try_new(self, request: Request) -> Response:
        """As `…/{id}/test/`, of a source that is not saved."""
        return Response(trying.test(*self._given(request)))

    @extend_schema(operation_id="data_sources_preview_unsaved", request=SourceSerializer, responses=dict)
    @action(detail=False, methods=["post"], url_path="preview")
    def preview_new(self, request: Request) -> Response:
        """As `…/{id}/preview/`, of a source that is not saved."""
        return Response(trying.preview(*self._given(request)))

    @extend_schema(request=SourceSerializer, responses=dict)
    @action(detail=False, methods=["post"])
    def validate(self, request: Request) -> Response:
        """What is wrong with a `definition`, by the places in it; nothing is asked of the other side."""
        document = request.data.get("definition") if isinstance(request.data, dict) else None
        try:
            secrets.host_of(validation.read(document))
        except validation.InvalidDefinition as error:
            return Response({"problems": [problem._asdict() for problem in error.problems]})
        except BadDefinition as error:
            return Response({"problems": [{"pointer": "/extract", "message": str(error)}]})
        return Response({"problems": []})

    def _changed(self, request: Request, source: Source) -> tuple[Any, Mapping[str, str]]:
        """The source's definition and secrets, with what the request gives in their place."""
        given = self.get_serializer(source, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        definition = msgspec.convert(given.validated_data.get("definition", source.definition), Definition)
        fresh = given.validated_data.get("secrets", {})
        kept = {} if set(secrets.asked_by(definition)) <= set(fresh) else _secrets(source, definition)
        return definition, secrets.Secrets({**kept, **fresh})

    def _given(self, request: Request) -> tuple[Any, Mapping[str, str]]:
        given = self.get_serializer(data=_unnamed(request.data), partial=True)
        given.is_valid(raise_exception=True)
        named = secrets.Secrets(given.validated_data.get("secrets", {}))
        return validation.read(given.validated_data["definition"]), named

    @extend_schema(responses=VersionSerializer(many=True))
    @action(detail=True)
    def versions(self, request: Request, pk: str) -> Response:
        """Every definition that the source has had, the newest first."""
        return Response(VersionSerializer(self.get_object().versions.all(), many=True).data)

    @extend_schema(responses=dict)
    @action(detail=False, url_path="schema")
    def definition_schema(self, request: Request) -> Response:
        """The JSON Schema of a definition."""
        return Response(validation.schema())


def _check_load(asker: Principal, document: dict[str, Any]) -> None:
    """A source is no way to write into streams that are not one's own. Raises PermissionDenied."""
    stream = document["load"].get("stream")
    if stream is not None and not asker.may(Scope.INGEST, stream=stream):
        asker.require(Scope.MANAGE, stream=stream)


def _audited(source: Source) -> dict[str, Any]:
    return {"name": source.name, "active": source.active, "definition": source.definition}


def _action(before: dict[str, Any], changes: Changes) -> str:
    if not before:
        return "source.create"
    if set(changes) == {"active"}:
        return "source.enable" if changes["active"]["new"] else "source.disable"
    return "source.update"


def _unnamed(given: Any) -> Any:
    """What is tried needs no name, and may have that of a source that is there."""
    return {name: value for name, value in given.items() if name != "name"} if isinstance(given, dict) else given


def _secrets(source: Source, definition: Definition) -> Mapping[str, str]:
    try:
        return secrets.reveal(source, definition)
    except SourceError as error:
        raise ValidationError({"secrets": [str(error)]}) from error
