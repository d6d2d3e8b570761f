from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from ingest import index_building
from ingest.endpoint import IngestEndpoint
from ingest.models import FieldIndex
from tests.ingest.posting import Poster, not_found


@pytest.fixture
async def post(transactional_db: None, redis_clean: object, token: str) -> AsyncIterator[Poster]:
    """Posts to an endpoint of this test's own event loop, with a key that may do everything."""
    endpoint = IngestEndpoint(not_found)
    yield Poster(endpoint, token)
    await endpoint.close()


@pytest.fixture
def no_index_left(transactional_db: None) -> Iterator[None]:
    yield
    FieldIndex.objects.all().delete()
    index_building.build(datetime.now(UTC))
