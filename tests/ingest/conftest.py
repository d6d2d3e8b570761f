from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from ingest.endpoint import IngestEndpoint
from tests.ingest.posting import Poster, not_found


@pytest.fixture
async def post(transactional_db: None, redis_clean: object, token: str) -> AsyncIterator[Poster]:
    """Posts to an endpoint of this test's own event loop, with a key that may do everything."""
    endpoint = IngestEndpoint(not_found)
    yield Poster(endpoint, token)
    await endpoint.close()
    await sync_to_async(connections.close_all)()
