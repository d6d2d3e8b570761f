"""What beat sets going every ten seconds."""

import pytest
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from ingest import buffer, feed
from monitor import heartbeat, history
from monitor.tasks import tick


def test_beat_asks_for_it_and_the_notify_workers_do_it() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["tick"]
    assert entry == {"task": tick.name, "schedule": 10, "options": {"expires": 10}}
    assert settings.CELERY_TASK_ROUTES[tick.name] == {"queue": "notify"}


@pytest.mark.django_db
def test_it_notes_the_time_and_the_lag() -> None:
    buffer.record_flush([250])
    tick()
    assert feed.client().exists(heartbeat.KEY)
    assert [sample["p50"] for sample in history.read(1, None)["lag"]] == [250.0]


def test_without_the_buffer_the_pulse_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = redis.Redis.from_url("redis://127.0.0.1:1", retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(buffer, "client", lambda: nobody)
    tick()
    assert feed.client().exists(heartbeat.KEY)
