from collections.abc import Iterator

import pytest
import redis

from monitor import channel


@pytest.fixture(autouse=True)
def empty_feed(redis_clean: redis.Redis) -> Iterator[None]:
    yield
    channel.close()
