from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access import audit, keys, log_in, roles, schema  # noqa: F401  connects signals: the copy of the keys, log-ins

        post_migrate.connect(roles.make_groups, sender=self, dispatch_uid="access.roles")


class SiteConfig(AdminConfig):
    default_site = "access.site.Site"
