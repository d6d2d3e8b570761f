"""Streams as the hot path sees them: settings held in memory, created on first use."""

import logging
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models.signals import post_delete, post_save

from access.errors import PermissionDenied, ServiceError
from access.snapshot import Snapshot
from ingest.envelope import StreamRules
from ingest.models import STREAM_NAME, SchemaMode, Stream
from ingest.schemas import InvalidSchema, compile_schema

logger = logging.getLogger(__name__)

NAME = re.compile(STREAM_NAME)
MOST_STREAMS = 10_000


class InvalidStreamName(ServiceError):
    status, code = 400, "invalid_stream_name"


@dataclass(frozen=True, slots=True)
class KnownStream:
    id: int
    name: str
    rules: StreamRules


def load_known_streams() -> dict[str, KnownStream]:
    return {stream.name: KnownStream(stream.pk, stream.name, rules_of(stream)) for stream in Stream.objects.all()}


def rules_of(stream: Stream) -> StreamRules:
    """A schema that cannot be used is not checked against, and logged: it must not stop this stream, nor the others."""
    validator = None
    if stream.schema is not None and stream.schema_mode != SchemaMode.OFF:
        try:
            validator = compile_schema(stream.schema)
        except InvalidSchema as error:
            logger.error("The schema of the stream %s is ignored: %s", stream.name, error)
    return StreamRules(
        key_path=stream.key_path,
        time_path=stream.time_path,
        type_path=stream.type_path,
        validator=validator,
        schema_mode=stream.schema_mode if validator else SchemaMode.OFF.value,
    )


known_streams: Snapshot[KnownStream] = Snapshot(load_known_streams, lambda: settings.DIRECTORY_REFRESH_SECONDS)


def _forget(**kwargs: Any) -> None:
    known_streams.expire()


post_save.connect(_forget, sender=Stream, dispatch_uid="ingest.streams.saved")
post_delete.connect(_forget, sender=Stream, dispatch_uid="ingest.streams.deleted")


def create_stream(name: str) -> None:
    """Make the stream unless it is there. Raises InvalidStreamName; PermissionDenied past MOST_STREAMS."""
    if not NAME.fullmatch(name):
        raise InvalidStreamName(
            f"{name[:100]!r} cannot be a stream: letters, digits, '.', '_' and '-', at most 100,"
            " the first a letter or digit."
        )
    if Stream.objects.count() >= MOST_STREAMS:
        raise PermissionDenied(
            f"There are {MOST_STREAMS} streams, which is the most. Streams are kinds of events: put devices or users"
            " into the payload."
        )
    Stream.objects.bulk_create([Stream(name=name)], ignore_conflicts=True)
