from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IngestConfig(AppConfig):
    name = "ingest"
    verbose_name = "Ingestion"

    def ready(self) -> None:
        from ingest import streams  # noqa: F401  connects the signals that keep the copy of the streams current

        post_migrate.connect(_make_partitions, sender=self, dispatch_uid="ingest.make_partitions")


def _make_partitions(**kwargs: Any) -> None:
    """A new database takes events into daily partitions from its first minute."""
    from ingest.partitions import make_partitions

    make_partitions()
