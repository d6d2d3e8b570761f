"""How many queries a request for `/api/stats/` makes, authentication included: `main` prints JSON."""

import orjson
import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.keys import create_key
from access.models import Scope
from sources.stats import PREFIX

PATH = "/api/stats/"


def main() -> None:
    _, token = create_key("of the benchmark", [Scope.READ])
    client = Client(headers={"authorization": f"Bearer {token}", "host": "localhost"})
    client.get(PATH)  # whoever came with this key is known from now on
    with redis.Redis.from_url(settings.REDIS_URL) as cache:
        cache.delete(*cache.keys(f"{PREFIX}*"))
    print(orjson.dumps({"cold": _queries(client), "warm": _queries(client)}).decode())


def _queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(PATH)
    if answer.status_code != 200:
        raise SystemExit(f"{PATH} was answered with {answer.status_code}: {answer.content.decode()}")
    return len(captured)
