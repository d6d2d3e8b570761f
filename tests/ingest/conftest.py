from collections.abc import AsyncIterator

import pytest

from ingest.endpoint import IngestEndpoint
from tests.ingest.posting import Poster, not_found


@pytest.fixture
async def post(transactional_db: None, redis_clean: object, token: str) -> AsyncIterator[Poster]:
    """Posts to an endpoint of this test's own event loop, with a key that may do everything."""
    endpoint = IngestEndpoint(not_found)
    yield Poster(endpoint, token)
    await endpoint.close()
