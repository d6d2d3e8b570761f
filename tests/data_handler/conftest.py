import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_handler import embedded
from data_handler.embedded.home import Home


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter, unlike pytest's own: as root PostgreSQL runs as another user."""
    folder = Path(tempfile.mkdtemp(prefix="dh-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(open_folder: Path) -> Iterator[Home]:
    home = Home.at(open_folder / "data")
    yield home
    embedded.remove(home)
