"""Make the first administrator and key of an embedded installation, and print them."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from access.bootstrap import ensure_first_access


class Command(BaseCommand):
    help = "Makes an administrator and a key, once, and prints them as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        first = ensure_first_access(settings.DATA_DIR)
        self.stdout.write(
            json.dumps(
                {
                    "admin_name": first.admin_name,
                    "admin_password": first.admin_password,
                    "ingest_key": first.ingest_key,
                }
            )
        )
