"""Write env.sample and docs/settings.md from the table of options."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from data_handler.options import OPTIONS
from data_handler.settings_docs import pages


class Command(BaseCommand):
    help = "Writes env.sample and docs/settings.md from data_handler/options.py."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for path, text in pages(settings.BASE_DIR, OPTIONS).items():
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {path.relative_to(settings.BASE_DIR)}")
