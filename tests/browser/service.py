"""The service that the browser looks at, and what happens to it meanwhile."""

import json
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

import httpx2
import psutil
import psycopg
import redis
from django.contrib.auth.hashers import make_password

from ingest import chunks
from tests.faults.installation import Installation

PATIENCE_SECONDS = 30
REFUSED_PAYLOAD = '{"nul": "\\u0000"}'
"""PostgreSQL will not store it; acceptance would never let it through."""


class Service:
    """A running installation; everything here goes its usual ways but for users and dead letters, which are put in."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.url = installation.url
        headers = {"Authorization": f"Bearer {installation.key}"}
        self._client = httpx2.Client(base_url=self.url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)
        self._database = psycopg.connect(installation.home.database_url, autocommit=True)
        self._names = (f"stream-{number}" for number in range(1_000_000))

    def close(self) -> None:
        self._client.close()
        self._database.close()

    @property
    def admin_password(self) -> str:
        return (self.installation.home.data_dir / "admin_password").read_text().strip()

    def new_stream(self) -> str:
        """The name of a stream that no other test uses."""
        return next(self._names)

    def post(self, stream: str, events: Sequence[object], *, stored: bool = False) -> None:
        """As one request, accepted whole; with `stored`, committed too when this returns."""
        self.post_text(stream, json.dumps(events), stored=stored)

    def post_text(self, stream: str, text: str, *, stored: bool = False) -> None:
        """The same for JSON that is to arrive as it is."""
        headers = {"Content-Type": "application/json"} | ({"Prefer": "wait=30"} if stored else {})
        answer = self._client.post(f"/api/streams/{stream}/events/", content=text, headers=headers)
        assert answer.status_code == (200 if stored else 202), answer.text
        assert not answer.json().get("rejected"), answer.text

    def get(self, path: str) -> Any:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sql(self, query: LiteralString, *values: object) -> list[Any]:
        cursor = self._database.execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def make_user(self, name: str, password: str) -> None:
        """One who may read and no more."""
        self.sql(
            "INSERT INTO auth_user"
            " (username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)"
            " VALUES (%s, %s, false, false, true, '', '', '', now())",
            name,
            make_password(password),
        )
        self.sql(
            "INSERT INTO auth_user_groups (user_id, group_id)"
            " SELECT u.id, g.id FROM auth_user u, auth_group g WHERE u.username = %s AND g.name = 'viewer'",
            name,
        )

    def make_letters(
        self, stream: str, payloads: Sequence[str], reason: str = "Refused", detail: str = ""
    ) -> list[UUID]:
        """Dead letters of events that nobody sent; the stream is there afterwards."""
        self.post(stream, [{"type": "first"}], stored=True)
        [[stream_id]] = self.sql("SELECT id FROM stream WHERE name = %s", stream)
        chunk_id, now = chunks.new_chunk_id(), datetime.now(UTC)
        ids = [chunks.event_id(chunk_id, number) for number in range(len(payloads))]
        with self._database.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO dead_letter"
                " (id, stream_id, type, received_at, payload, reason, detail, failed_at, attempts)"
                " VALUES (%s, %s, 'reading', %s, %s, %s, %s, %s, 1)",
                [(id, stream_id, now, payload, reason, detail, now) for id, payload in zip(ids, payloads, strict=True)],
            )
        return ids

    def letters(self, stream: str) -> int:
        query = "SELECT count(*) FROM dead_letter JOIN stream ON stream.id = stream_id WHERE name = %s"
        return int(self.sql(query, stream)[0][0])

    def announced(self) -> int:
        """The feed's last number."""
        position = self.installation.position()
        assert position is not None
        return position[1]

    def wait_announced(self, seq: int) -> None:
        until(lambda: self.announced() >= seq)

    def lose_numbers(self, count: int) -> None:
        """Give numbers of the feed to nothing, as when a process dies with what it was to announce."""
        with redis.Redis.from_url(self.installation.home.broker_url) as broker:
            broker.incrby("{dh:feed}:seq", count)

    def kill_web(self, before_another: Callable[[], object] = lambda: None) -> None:
        """SIGKILL; returns when another answers in its place."""
        before = self.installation.pid_of("web")
        killed = self.installation.members("web", "whole", random.Random())
        supervisor = psutil.Process(before).parent()
        assert supervisor is not None
        supervisor.suspend()
        try:
            for process in killed:
                process.kill()
            before_another()
        finally:
            supervisor.resume()
        until(lambda: self.installation.pid_of("web") not in (None, before) and self._answers())

    def _answers(self) -> bool:
        try:
            return self._client.get("/health/live").status_code == 200
        except httpx2.TransportError:
            return False


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"this did not come true within {PATIENCE_SECONDS} s"
        time.sleep(0.05)
