from collections.abc import Iterator

import pytest

from tests.browser.conftest import Opener
from tests.browser.service import Service
from tests.browser.sources.making import Maker
from tests.sources.provider import Provider, running


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def maker(open_window: Opener, service: Service) -> Iterator[Maker]:
    """Makes sources as an administrator; none is left afterwards."""
    yield Maker(open_window())
    service.sql("DELETE FROM record")
    service.sql("TRUNCATE source CASCADE")
