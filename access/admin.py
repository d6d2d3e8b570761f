from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from access import audit
from access.audited import Audited
from access.keys import hash_secret, new_secret, revoke_key, token
from access.models import ApiKey, AuditEntry, Grant, Scope


class ApiKeyForm(forms.ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiKey
        fields: ClassVar = ["name", "scopes", "streams", "sources", "events_per_second", "expires_at"]


class GrantInline(admin.TabularInline[Grant, Group]):
    model = Grant
    extra = 1
    verbose_name_plural = "Roles for single streams and sources"


@admin.register(ApiKey)
class ApiKeyAdmin(Audited, admin.ModelAdmin[ApiKey]):
    audited_as = "key"
    form = ApiKeyForm
    list_display = ("name", "id", "scopes", "streams", "sources", "created_at", "expires_at", "revoked_at")
    readonly_fields = ("id", "created_at", "revoked_at")
    actions = ["revoke"]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """A new key's token is shown in the message on the next page, and nowhere else."""
        if change:
            return super().save_model(request, obj, form, change)
        secret = new_secret()
        obj.secret_hash = hash_secret(secret)
        super().save_model(request, obj, form, change)
        shown = f"The key of {obj.name}, shown only now: {token(obj, secret)}"
        self.message_user(request, shown, messages.WARNING)

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: "QuerySet[ApiKey]") -> None:
        for key in keys.filter(revoked_at=None):
            with transaction.atomic():
                revoke_key(key)
                audit.record(request, "key.revoke", "key", key.pk, key.name)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are revoked, and stay as a record."""
        return False


class AuditedUserAdmin(Audited, UserAdmin[User]):
    audited_as = "user"


class AuditedGroupAdmin(Audited, GroupAdmin):
    """A group gives its members roles; `viewer`, `operator` and `admin` are roles for everything."""

    audited_as = "group"
    inlines: ClassVar = [GrantInline]


admin.site.unregister([User, Group])
admin.site.register(User, AuditedUserAdmin)
admin.site.register(Group, AuditedGroupAdmin)


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin[AuditEntry]):
    """To be read; nobody adds, changes or deletes."""

    list_display = ("at", "actor_name", "actor", "action", "object_type", "object_name", "address")
    list_filter = ("action", "object_type")
    search_fields = ("actor", "actor_name", "object_id", "object_name")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
