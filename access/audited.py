"""What is changed in Django's administration, in the audit log too."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from access import audit
from access.differences import Changes, difference

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object


class Audited(Base):
    """A mixin for a ModelAdmin. `audited_as`: the object type in the log."""

    audited_as: str

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        request.admin_changes = {**_changes(form, change), **_inline(formsets)}  # type: ignore[attr-defined]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "create", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "update", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        for obj in queryset:
            audit.record(request, f"{self.audited_as}.delete", self.audited_as, obj.pk, _name(obj))
        return super().log_deletions(request, queryset)  # type: ignore[arg-type]

    def _record(self, request: HttpRequest, verb: str, obj: Any, message: Any) -> None:
        """What a form changed; a view without `save_related`, that of passwords, has only a message for it."""
        changes: Changes = getattr(request, "admin_changes", {"message": message})
        audit.record(request, f"{self.audited_as}.{verb}", self.audited_as, obj.pk, _name(obj), changes)


def _changes(form: Any, change: bool) -> Changes:
    fields = form.changed_data
    old = {name: _value(form.initial.get(name)) for name in fields} if change else {}
    return difference(old, {name: _value(form.cleaned_data.get(name)) for name in fields})


def _inline(formsets: Iterable[Any]) -> Changes:
    """What was added, changed and deleted with the object, by name."""
    changes: Changes = {}
    for formset in formsets:
        changed = [obj for obj, _ in formset.changed_objects]
        done = {"added": formset.new_objects, "changed": changed, "deleted": formset.deleted_objects}
        changes |= {f"{formset.prefix}.{verb}": [str(one) for one in them] for verb, them in done.items() if them}
    return changes


def _value(value: Any) -> Any:
    if isinstance(value, models.QuerySet | list | tuple | set):
        return sorted(str(member) for member in value)
    return str(value) if isinstance(value, models.Model) else value


def _name(obj: Any) -> str:
    return str(getattr(obj, "name", None) or obj)
