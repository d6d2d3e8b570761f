"""One parent of workers for all tests, and for each test a stage and a provider."""

from collections.abc import Iterator

import pytest

from tests.sources.kills import workers
from tests.sources.kills.stage import Stage
from tests.sources.kills.standing import wait_for_no_session
from tests.sources.kills.workers import Nursery
from tests.sources.provider import Provider, running


@pytest.fixture(scope="session")
def nursery(django_db_setup: None, services: object) -> Iterator[Nursery]:
    with workers.nursery() as nursery:
        yield nursery


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def stage(transactional_db: None, redis_clean: object, nursery: Nursery) -> Iterator[Stage]:
    yield Stage(nursery)
    nursery.clear()
    wait_for_no_session()
