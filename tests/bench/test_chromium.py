"""Where there is no Chromium."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(("ci", "status", "outcome"), [("", 0, "1 skipped"), ("1", 1, "1 error")])
def test_the_browser_tests_say_how_to_get_it_and_fail_in_ci(ci: str, status: int, outcome: str) -> None:
    environment = {**os.environ, "CHROMIUM": "no-such-chromium", "CI": ci}
    command = [sys.executable, "-m", "pytest", "tests/browser", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == status, run.stdout
    assert outcome in run.stdout
    assert "There is no no-such-chromium: install it (apt-get install chromium" in run.stdout.replace("\n", " ")
