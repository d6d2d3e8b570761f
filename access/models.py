import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Scope(models.TextChoices):
    """What a key may do."""

    INGEST = "ingest", "send events"
    READ = "read", "read and watch events"
    MANAGE = "manage", "define streams, replay and discard dead letters"


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
        help_text="Names of the streams that it is for; none: all, and it may create new ones.",
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
