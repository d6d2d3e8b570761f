from typing import Any

from django.contrib.auth.backends import ModelBackend

from access.principals import principal_of


class RoleBackend(ModelBackend):
    """Django's own permissions, which its admin pages ask for: administrators have all."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return principal_of(user_obj).is_admin or super().has_perm(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return principal_of(user_obj).is_admin or super().has_module_perms(user_obj, app_label)
