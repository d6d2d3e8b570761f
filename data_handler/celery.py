"""The Celery application: `celery -A data_handler worker -Q flush`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from data_handler.garbage import collect_rarely

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "data_handler.settings")
# `migrate` makes the checks; in each worker they would cost 25 MB, for they bring all that is web.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("data_handler")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _prepare(**kwargs: Any) -> None:
    collect_rarely()
