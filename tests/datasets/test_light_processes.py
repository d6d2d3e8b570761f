import subprocess
import sys

from django.conf import settings

from tests.sources.kills.workers import environment

LOADED = """
import sys
import django
django.setup()
import data_handler.urls, datasets.tasks
from datasets import parameters
parameters.kinds()
print(*sorted({"duckdb", "pyarrow", "numpy", "pandas", "adbc_driver_postgresql"} & set(sys.modules)))
"""


def test_web_processes_and_workers_load_nothing_that_is_for_analysing() -> None:
    """It would cost each of them 24 MB and more."""
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
