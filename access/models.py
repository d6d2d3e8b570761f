import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Scope(models.TextChoices):
    """What a key may do."""

    INGEST = "ingest", "send events"
    READ = "read", "read and watch"
    OPERATE = "operate", "run and cancel sources, replay and discard dead letters"
    MANAGE = "manage", "operate, define streams and sources, change records"


class Role(models.TextChoices):
    """What a person may do."""

    VIEWER = "viewer", "viewer: reads"
    OPERATOR = "operator", "operator: reads, runs, replays, cancels"
    ADMIN = "admin", "admin: everything"


def new_key_id() -> str:
    return uuid.uuid4().hex[:12]


class ApiKey(models.Model):
    """A credential of a program: `dh_<id>_<secret>`. Only a SHA-256 of the 128-bit secret is kept."""

    id = models.CharField(primary_key=True, max_length=12, default=new_key_id, editable=False)
    name = models.CharField(max_length=100, help_text="Who or what uses it.")
    secret_hash = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices))
    streams = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Names of the streams that it is for. Neither streams nor sources: all, and new ones.",
    )
    sources = ArrayField(
        models.CharField(max_length=92),
        default=list,
        blank=True,
        help_text="Names of the sources that it is for, with their records.",
    )
    events_per_second = models.PositiveIntegerField(
        null=True, blank=True, help_text="Most events a second it may send, on average over ten seconds."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class Grant(models.Model):
    """A role for one stream or one source, whether there is one of that name yet or not."""

    group = models.ForeignKey("auth.Group", models.CASCADE)
    role = models.CharField(max_length=20, choices=Role.choices)
    stream = models.CharField(max_length=100, blank=True, help_text="Name of a stream; or else")
    source = models.CharField(max_length=92, blank=True, help_text="name of a source, with its runs and records.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(stream="") ^ Q(source=""),
                name="access_grant_of_one",
                violation_error_message="Name either a stream or a source.",
            ),
            models.UniqueConstraint(fields=["group", "role", "stream", "source"], name="access_grant_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {'stream ' + self.stream if self.stream else 'source ' + self.source}"


class AuditEntry(models.Model):
    """That somebody changed something: who, what, from where. Written once, never edited, deleted by age alone.

    `actor`: `user:<id>`, `key:<id>`, `command`, or `anonymous`. `changes`: by field `{"old": …, "new": …}`, or what
    else describes the action; no secrets.
    """

    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200)
    actor_name = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=50)
    object_type = models.CharField(max_length=50)
    object_id = models.CharField(max_length=200, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    changes = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        db_table = "audit_entry"
        ordering: ClassVar = ["-id"]
        default_permissions = ("view",)
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["at"], name="audit_entry_at"),
            models.Index(fields=["actor", "-id"], name="audit_entry_actor"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_entry_object"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object_type} {self.object_name or self.object_id}"
