"""The tables of sources, their runs, and the records that runs keep current."""

import uuid
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

from ingest.models import STREAM_NAME


class Source(models.Model):
    """A place to pull from. `definition` is the document of `version`; the older ones are kept beside it.

    `state`: what the next run goes on from (cursor, ETag…), committed with the rows that it stands for.
    """

    name = models.CharField(
        max_length=92,
        unique=True,
        validators=[
            RegexValidator(
                rf"^{STREAM_NAME}\Z", "Letters, digits, '.', '_' and '-', at most 92, the first a letter or digit."
            )
        ],
    )
    definition = models.JSONField()
    version = models.PositiveIntegerField(default=1)
    active = models.BooleanField(default=True)
    state = models.JSONField(default=dict, blank=True, editable=False)
    next_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="Failed runs since one went well.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "source"
        ordering: ClassVar = ["name"]
        indexes: ClassVar = [
            models.Index(fields=["next_run_at"], name="source_due", condition=models.Q(next_run_at__isnull=False))
        ]

    def __str__(self) -> str:
        return self.name


class SourceVersion(models.Model):
    source = models.ForeignKey(Source, models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    definition = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "source_version"
        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "version"], name="source_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} v{self.version}"


class Secret(models.Model):
    """Something that nobody reads back: encrypted, for one host."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=100)
    ciphertext = models.BinaryField()
    host = models.CharField(max_length=600)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "source_secret"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "name"], name="source_secret_once")]

    def __str__(self) -> str:
        return self.name


class Status(models.TextChoices):
    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    SUCCESS = "success", "success"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    SKIPPED = "skipped", "skipped"


OPEN = (Status.PENDING, Status.RUNNING)


class Trigger(models.TextChoices):
    SCHEDULE = "schedule", "schedule"
    API = "api", "API"
    HAND = "hand", "by hand"
    RETRY = "retry", "retry"
    BACKFILL = "backfill", "backfill"


class Run(models.Model):
    """One execution of a source. `counts`: rows by step; `statuses`: answers by HTTP status."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, models.CASCADE, related_name="runs")
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    trigger = models.CharField(max_length=8, choices=Trigger.choices)
    triggered_by = models.CharField(max_length=200, blank=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    not_before = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    cancel_requested = models.BooleanField(default=False)
    counts = models.JSONField(default=dict)
    statuses = models.JSONField(default=dict)
    bytes = models.BigIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    state_before = models.JSONField(default=dict)
    state_after = models.JSONField(null=True, blank=True)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    rejected = models.JSONField(default=list, help_text="Samples of rows that were left out, with reasons.")

    class Meta:
        db_table = "source_run"
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["source", "-created_at"], name="source_run_history"),
            models.Index(fields=["status", "created_at"], name="source_run_status"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source"], condition=models.Q(status="running"), name="source_run_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RunLog(models.Model):
    run = models.ForeignKey(Run, models.CASCADE, related_name="log")
    at = models.DateTimeField()
    level = models.CharField(max_length=7)
    message = models.TextField()

    class Meta:
        db_table = "source_run_log"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.message


class Record(models.Model):
    """The current value of one key of a source. `hash` tells whether a row would change it.

    No foreign key is enforced: checking them would take a sixth of the time of loading. `run` may be gone.
    """

    source = models.ForeignKey(
        Source, models.CASCADE, related_name="records", null=True, blank=True, db_constraint=False, db_index=False
    )
    key = models.TextField()
    value = models.JSONField()
    hash = models.BinaryField(max_length=16, editable=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    run = models.ForeignKey(
        Run, models.DO_NOTHING, null=True, blank=True, db_constraint=False, db_index=False, editable=False
    )

    class Meta:
        db_table = "record"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "key"], name="record_once", nulls_distinct=False)
        ]
        indexes: ClassVar = [
            models.Index(fields=["-updated_at", "-id"], name="record_newest"),
            models.Index(fields=["source", "starts_at"], name="record_starts"),
        ]

    def __str__(self) -> str:
        return self.key


class Upload(models.Model):
    """A file that somebody sent, in pieces in the database: every worker reaches it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(default=0)
    sha256 = models.BinaryField(max_length=32, null=True)
    complete = models.BooleanField(default=False)
    kept = models.BooleanField(default=False, help_text="Something else than a source uses it: it is not pruned.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "upload"
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class UploadPiece(models.Model):
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        db_table = "upload_piece"
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["upload", "number"], name="upload_piece_once")]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.number}"
