"""The Python client of the protocol page works as it stands there; the other one runs among the browser tests."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from data_handler.process import kill
from tests.faults.installation import Installation

PAGE = Path(__file__).parents[2] / "docs" / "live-feed.md"
PATIENCE_SECONDS = 20


@pytest.mark.stack
def test_the_python_client_of_the_page_shows_events_and_comes_back(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    try:
        installation.start()
        with client_of_the_page(installation, tmp_path / "printed") as printed:
            send_until_printed(installation, {"number": 1}, printed)
            web = installation.pid_of("web")
            assert web is not None
            kill([psutil.Process(web)])
            send_until_printed(installation, {"number": 2}, printed)
            assert "missing" not in printed.read_text()
    finally:
        installation.stop()


@contextmanager
def client_of_the_page(installation: Installation, printed: Path) -> Iterator[Path]:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    feed_url = installation.url.replace("http", "ws", 1) + "/ws/events/"
    with printed.open("w") as output:
        client = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "FEED_URL": feed_url, "FEED_KEY": installation.key},
            stdout=output,
            stderr=output,
        )
        try:
            yield printed
        finally:
            client.kill()
            client.wait()


def send_until_printed(installation: Installation, event: dict[str, int], printed: Path) -> None:
    """The client may not have subscribed yet, or the server not be back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while str(event) not in printed.read_text():
        assert time.monotonic() < deadline, printed.read_text()
        try:
            headers = {"Authorization": f"Bearer {installation.key}"}
            httpx2.post(f"{installation.url}/api/events/", json=event, headers=headers, timeout=5)
        except httpx2.TransportError:
            pass
        time.sleep(0.3)
