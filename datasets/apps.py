from django.apps import AppConfig
from django.core import checks

from datasets.checks import extra_kinds


class DatasetsConfig(AppConfig):
    name = "datasets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from datasets import stats as ours
        from sources import stats

        checks.register(extra_kinds)
        stats.add(ours.counts)
