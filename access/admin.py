from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from access.keys import hash_secret, new_secret, revoke_key, token
from access.models import ApiKey, Grant, Scope


class ApiKeyForm(forms.ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiKey
        fields: ClassVar = ["name", "scopes", "streams", "sources", "events_per_second", "expires_at"]


class GrantInline(admin.TabularInline[Grant, Group]):
    model = Grant
    extra = 1
    verbose_name_plural = "Roles for single streams and sources"


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """A group gives its members roles; `viewer`, `operator` and `admin` are roles for everything."""

    inlines: ClassVar = [GrantInline]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
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
            revoke_key(key)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are revoked, and stay as a record."""
        return False
