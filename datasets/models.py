"""The tables of datasets and of analysis tasks over them."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class DatasetKind(models.TextChoices):
    EVENTS = "events", "events"
    RECORDS = "records", "records"
    UPLOAD = "upload", "upload"


class Dataset(models.Model):
    """A selection of stored data, or a file. `definition`: see `datasets.definition`; `version` grows with it.

    `rows`, `columns` ([{"name", "type"}]) and `snapshot_at` tell of the snapshot taken last.
    `owner`: a principal's name, such as `user:5`.
    """

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    kind = models.CharField(max_length=7, choices=DatasetKind.choices)
    definition = models.JSONField()
    version = models.PositiveIntegerField(default=1, editable=False)
    owner = models.CharField(max_length=200, editable=False)
    owner_name = models.CharField(max_length=200, blank=True, editable=False)
    rows = models.BigIntegerField(null=True, editable=False)
    columns = models.JSONField(null=True, editable=False)
    snapshot_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "dataset"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Status(models.TextChoices):
    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    SUCCESS = "success", "success"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


OPEN = (Status.PENDING, Status.RUNNING)


class AnalysisTask(models.Model):
    """One analysis of a dataset.

    `selections`: what it is to run on, each dataset as it was when the task was asked for (`datasets.selections`);
    sliding windows end at `created_at`. `snapshots`: what it ran on, columns aside. `progress`: 0 to 1, with `step` in
    words. `cache_key` is the same for tasks that must have the same result.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="tasks")
    dataset_version = models.PositiveIntegerField()
    kind = models.CharField(max_length=50)
    kind_version = models.PositiveIntegerField()
    parameters = models.JSONField(default=dict)
    selections = models.JSONField(default=list)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    progress = models.FloatField(default=0.0)
    step = models.CharField(max_length=200, blank=True)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    snapshots = models.JSONField(default=list)
    cache_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    cancel_requested = models.BooleanField(default=False)

    class Meta:
        db_table = "analysis_task"
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["dataset", "-created_at"], name="analysis_task_history"),
            models.Index(fields=["status", "created_at"], name="analysis_task_status"),
            models.Index(fields=["cache_key"], name="analysis_task_cache", condition=models.Q(status="success")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
