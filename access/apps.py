from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access import keys, schema  # noqa: F401  connects the signals that keep the copy of the keys current
