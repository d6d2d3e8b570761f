from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def snapshots_dir(settings: Settings, tmp_path: Path) -> Path:
    """Where this test's snapshots are, alone."""
    settings.SNAPSHOTS_DIR = tmp_path / "snapshots"
    return tmp_path / "snapshots"
