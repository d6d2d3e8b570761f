from collections.abc import Iterator

import pytest

from tests.browser.conftest import Opener
from tests.browser.datasets.making import Datasets
from tests.browser.service import Service, until
from tests.browser.sources.making import Maker


@pytest.fixture
def datasets(open_window: Opener, service: Service) -> Iterator[Datasets]:
    """Makes datasets as an administrator; none is left afterwards, and no analysis that the live page would tell of."""
    yield Datasets(Maker(open_window()), service)
    service.sql("DELETE FROM analysis_task WHERE status = 'running' AND worker = ''")  # those that nobody carries out
    until(lambda: not service.sql("SELECT FROM analysis_task WHERE status IN ('pending', 'running')"))
    service.sql("TRUNCATE dataset CASCADE")
