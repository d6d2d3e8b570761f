from collections.abc import Iterator

import pytest

from tests.browser.conftest import Opener
from tests.browser.datasets.making import Datasets
from tests.browser.service import Service
from tests.browser.sources.making import Maker


@pytest.fixture
def datasets(open_window: Opener, service: Service) -> Iterator[Datasets]:
    """Makes datasets as an administrator; none is left afterwards."""
    yield Datasets(Maker(open_window()), service)
    service.sql("TRUNCATE dataset CASCADE")
