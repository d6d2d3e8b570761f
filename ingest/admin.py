from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from access import audit
from access.audited import Audited
from ingest import dead_letters
from ingest.models import DeadLetter, Stream


@admin.register(Stream)
class StreamAdmin(Audited, admin.ModelAdmin[Stream]):
    audited_as = "stream"
    list_display = ("name", "schema_mode", "retention_days", "created_at")
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Stream | None = None) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its events would be left without a name: they go by retention."""
        return False


@admin.register(DeadLetter)
class DeadLetterAdmin(admin.ModelAdmin[DeadLetter]):
    """Deleting one is discarding it."""

    list_display = ("id", "stream", "type", "reason", "failed_at", "attempts")
    list_filter = ("reason", "stream")
    search_fields = ("id", "key", "payload")
    readonly_fields = tuple(field.name for field in DeadLetter._meta.fields)
    actions = ["replay"]

    @admin.action(description="Replay the selected dead letters", permissions=["change"])
    def replay(self, request: HttpRequest, letters: "QuerySet[DeadLetter]") -> None:
        written = dead_letters.replay(DeadLetter.objects.filter(pk__in=letters.values_list("pk", flat=True)))
        changes = {"stored": written.stored, "duplicates": written.duplicates, "dead": written.dead}
        audit.record(request, "dead_letter.replay", "dead_letter", "", "", changes)
        level = messages.WARNING if written.dead else messages.SUCCESS
        counts = f"{written.stored} stored, {written.duplicates} duplicates, {written.dead} refused again."
        self.message_user(request, counts, level)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        letters = list(queryset)
        id = letters[0].pk if len(letters) == 1 else ""
        audit.record(request, "dead_letter.discard", "dead_letter", id, "", {"discarded": len(letters)})
        return super().log_deletions(request, letters)  # type: ignore[arg-type]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
