"""`/api/uploads/`: files to be sources or datasets."""

from typing import Any
from urllib.parse import unquote

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from access import audit
from access.authentication import principal
from access.models import Scope
from sources import uploads
from sources.api.serializers import UploadSerializer
from sources.errors import SourceError
from sources.models import Upload


class InUse(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "in_use"


class Bytes(BaseParser):
    """The body as it is."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


@extend_schema(tags=["sources"])
class UploadViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Upload]
):
    """Send a file as the body: `curl --data-binary @prices.xlsx '…/api/uploads/?name=prices.xlsx'`."""

    queryset = Upload.objects.filter(complete=True)
    read_scope = write_scope = Scope.OPERATE

    def get_queryset(self) -> "QuerySet[Upload]":
        """Who may not manage everything has nothing to do with the files of others."""
        complete = Upload.objects.filter(complete=True)
        asker = principal(self.request)
        return complete if asker.is_admin else complete.filter(created_by=asker.name)

    serializer_class = UploadSerializer
    parser_classes = [Bytes]

    @extend_schema(request={"*/*": bytes}, responses={201: UploadSerializer})
    def create(self, request: Request) -> Response:
        """Keep a file; its id goes into the definition of a source or dataset. One that none uses goes after a day."""
        name = unquote(request.query_params.get("name", ""))
        if not name:
            raise ValidationError({"name": ["Say what the file is called: ?name=prices.xlsx"]})
        try:
            upload = uploads.store(request.stream, name, request.content_type or "", principal(request).name)
        except SourceError as error:
            raise ValidationError({"file": [str(error)]}) from error
        audit.record(request, "upload.create", "upload", upload.pk, upload.name, {"bytes": upload.size})
        return Response(UploadSerializer(upload).data, status=status.HTTP_201_CREATED)

    @transaction.atomic
    def perform_destroy(self, instance: Upload) -> None:
        if instance.kept:
            raise InUse("A dataset is of this file: delete the dataset, and the file goes with it.")
        audit.record(self.request, "upload.delete", "upload", instance.pk, instance.name)
        instance.delete()
