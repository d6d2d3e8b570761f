"""Loaded before Django's settings are: gives this test run services of its own, in a new directory."""

import os
import shutil
import tempfile
from pathlib import Path

for name in ("DATABASE_URL", "REDIS_URL", "BUFFER_REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG"):
    os.environ.pop(name, None)

DATA_DIR = Path(tempfile.mkdtemp(prefix="data-handler-test-"))
os.environ["DATA_DIR"] = str(DATA_DIR)
os.environ["LOG_LEVEL"] = "WARNING"


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA_DIR, ignore_errors=True)
