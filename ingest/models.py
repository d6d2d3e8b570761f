"""The tables. `event` and `event_key` are partitioned, so their DDL stands in the migration and not here."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from ingest.schemas import InvalidSchema, compile_schema

STREAM_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
PATH_HELP = "Dot-separated member names into the payload, such as meta.id. Empty: {default}. '-': none."


class SchemaMode(models.TextChoices):
    OFF = "off", "off"
    WARN = "warn", "accept and warn"
    ENFORCE = "enforce", "refuse"


class Stream(models.Model):
    """A named flow of events, with what is particular to its payloads."""

    name = models.CharField(
        max_length=100,
        unique=True,
        validators=[
            RegexValidator(
                rf"^{STREAM_NAME}\Z",
                "Letters, digits, '.', '_' and '-', at most 100, the first a letter or digit.",
            )
        ],
    )
    key_path = models.CharField(
        "idempotency key path", max_length=200, blank=True, help_text=PATH_HELP.format(default="id")
    )
    time_path = models.CharField(
        max_length=200, blank=True, help_text=PATH_HELP.format(default="time, timestamp or ts")
    )
    type_path = models.CharField(max_length=200, blank=True, help_text=PATH_HELP.format(default="type"))
    schema = models.JSONField("JSON Schema", null=True, blank=True, help_text="What a payload should look like.")
    schema_mode = models.CharField(max_length=7, choices=SchemaMode.choices, default=SchemaMode.OFF)
    retention_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days that its events are kept; empty: as the service; 0: for ever."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "stream"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.schema is not None:
            try:
                compile_schema(self.schema)
            except InvalidSchema as error:
                raise ValidationError({"schema": str(error)}) from error


class IndexKind(models.TextChoices):
    """What an index finds: `=`, `in` and `<`, `>` of texts, or of numbers."""

    TEXT = "text", "text"
    NUMBER = "number", "number"


class FieldIndex(models.Model):
    """A wish for an index on a member of the payloads of a stream; `ingest.field_indexes` makes it."""

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="field_indexes")
    path = models.CharField(max_length=200, help_text="As in a filter: payload.motor.speed.")
    kind = models.CharField(max_length=6, choices=IndexKind.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    failed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, help_text="Why it could not be made when that was tried last.")

    class Meta:
        db_table = "field_index"
        ordering: ClassVar = ["path", "kind"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stream", "path", "kind"], name="field_index_once"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.path} ({self.kind})"


class Event(models.Model):
    """One immutable JSON object. `received_at` is the millisecond in its UUIDv7; its day is the partition."""

    id = models.UUIDField(primary_key=True)
    received_at = models.DateTimeField()
    time = models.DateTimeField(null=True)
    stream = models.ForeignKey(Stream, models.DO_NOTHING, db_constraint=False)
    key = models.TextField(null=True)
    type = models.TextField(null=True)
    payload = models.JSONField()

    class Meta:
        db_table = "event"
        managed = False
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return str(self.id)


class FlushedChunk(models.Model):
    """The ledger: a chunk whose id stands here has been stored, wherever else it may still be."""

    id = models.UUIDField(primary_key=True)
    events = models.IntegerField()
    flushed_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "flushed_chunk"
        default_permissions = ()


class Duplicate(models.Model):
    """An accepted event that was not stored again, because `original` has the same key."""

    id = models.UUIDField(primary_key=True)
    original = models.UUIDField()

    class Meta:
        db_table = "duplicate"
        default_permissions = ()


class DeadLetter(models.Model):
    """An event that PostgreSQL would not store, whole, with the reason; kept until it is replayed or discarded."""

    id = models.UUIDField(primary_key=True)
    stream = models.ForeignKey(Stream, models.DO_NOTHING, null=True, db_constraint=False)
    key = models.TextField(null=True)
    type = models.TextField(null=True)
    time = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    payload = models.TextField(help_text="The event as it was sent.")
    reason = models.CharField(max_length=100)
    detail = models.TextField()
    failed_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "dead_letter"
        ordering: ClassVar = ["-id"]
        default_permissions = ("view", "change", "delete")

    def __str__(self) -> str:
        return f"{self.id}: {self.reason}"


class RollupTotal(models.Model):
    """The counts of a stream since its beginning, added to together with those by minute.

    `dead` counts events that were refused and not stored by a replay since; `last_minute` that of the newest event.
    """

    stream = models.OneToOneField(
        Stream, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="total"
    )
    events = models.BigIntegerField()
    bytes = models.BigIntegerField()
    duplicates = models.BigIntegerField()
    dead = models.BigIntegerField()
    last_minute = models.DateTimeField(null=True)

    class Meta:
        db_table = "rollup_total"
        default_permissions = ()


class RollupMinute(models.Model):
    """Counts by stream, type and minute of receipt, added to in the transaction that stores the events."""

    pk = models.CompositePrimaryKey("stream_id", "minute", "type")
    stream = models.ForeignKey(Stream, models.DO_NOTHING, db_constraint=False)
    minute = models.DateTimeField()
    type = models.TextField()
    events = models.BigIntegerField()
    bytes = models.BigIntegerField()
    duplicates = models.BigIntegerField()
    dead = models.BigIntegerField()

    class Meta:
        db_table = "rollup_minute"
        default_permissions = ()
