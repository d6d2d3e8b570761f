"""What Prometheus reads."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from access.keys import create_key
from access.models import Role, Scope
from data_handler import embedded
from ingest import counters, dead_letters, feed
from ingest.counters import Counters
from ingest.flush import flush
from ingest.models import DeadLetter
from tests.ingest.factory import BAD_PAYLOAD, make_event, make_stream, push_chunk
from tests.monitor.frozen import frozen
from tests.monitor.watching import publish, watching
from tests.people import person

pytestmark = pytest.mark.django_db(transaction=True)


def scraped(api: Client) -> dict[str, float]:
    """Samples as `name` or `name{label=value}`."""
    answer = api.get("/metrics")
    assert answer.status_code == 200
    samples = [s for family in text_string_to_metric_families(answer.content.decode()) for s in family.samples]
    return {
        sample.name.removeprefix("data_handler_")
        + "".join(f"{{{label}={value}}}" for label, value in sample.labels.items()): sample.value
        for sample in samples
    }


def test_what_is_stored_and_what_waits_is_told_exactly(api: Client) -> None:
    stream = make_stream()
    push_chunk(stream, [make_event(1, key="k"), make_event(2, key="k"), make_event(3), make_event(payload=BAD_PAYLOAD)])
    flush()
    push_chunk(stream, [make_event(4)] * 5)
    told = scraped(api)
    assert told["stored_events_total"] == 2
    assert told["stored_bytes_total"] == 2 * len(b'{"number":1}')
    assert told["duplicate_events_total"] == told["dead_events"] == told["dead_letters"] == 1
    assert told["buffered_events"] == 5
    assert told["buffered_bytes"] > 5 * 12
    assert 0 < told["buffered_oldest_seconds"] < 60
    assert 0 < told["lag_seconds{quantile=0.5}"] < 60


def test_discarding_a_dead_letter_is_told(api: Client) -> None:
    push_chunk(make_stream(), [make_event(payload=BAD_PAYLOAD)])
    flush()
    before = scraped(api)
    dead_letters.discard(DeadLetter.objects.all())
    after = scraped(api)
    assert [(told["dead_events"], told["dead_letters"]) for told in (before, after)] == [(1, 1), (0, 0)]


def test_counts_of_all_processes_are_told_together(api: Client) -> None:
    for process in (Counters(), Counters()):
        process.count("accepted_events", 20)
        process.count("websocket_gaps", 2, reason="lost")
        process.gauge("websocket_clients", 3)
        process.flush()
    told = scraped(api)
    assert told["accepted_events_total"] == 40
    assert told["websocket_gaps_total{reason=lost}"] == 4
    assert told["websocket_clients"] == 6
    assert told["websocket_omitted_total"] == 0


def test_flushes_are_a_histogram(api: Client) -> None:
    counters.flush()
    before = scraped(api)
    stream = make_stream()
    for _ in range(3):
        push_chunk(stream, [make_event()])
        flush()
    counters.flush()
    told = scraped(api)
    assert told["flush_seconds_count"] - before["flush_seconds_count"] == 3
    assert told["flush_seconds_sum"] > before["flush_seconds_sum"]
    buckets = [n for name, n in told.items() if name.startswith("flush_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == told["flush_seconds_count"]


def test_what_cannot_be_asked_is_left_out_and_said(
    api: Client, services: embedded.Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.metrics.TIMEOUT_SECONDS", 1.0)
    api.get("/metrics")  # so that this process knows the key
    with frozen(services.buffer):
        told = scraped(api)
    assert (told["ready{part=buffer}"], told["ready{part=database}"]) == (0, 1)
    assert "stored_events_total" in told
    assert "buffered_events" not in told


def test_openmetrics_is_spoken_to_those_who_ask(api: Client) -> None:
    answer = api.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert answer["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.content.endswith(b"# EOF\n")


def test_it_takes_the_right_to_read_all_streams(client: Client) -> None:
    assert client.get("/metrics").status_code == 401
    for scopes, streams, status in (
        ([Scope.READ], [], 200),
        ([Scope.INGEST], [], 403),
        ([Scope.READ], ["doors"], 403),
    ):
        _, token = create_key("test", scopes, streams=streams)
        assert client.get("/metrics", headers={"authorization": f"Bearer {token}"}).status_code == status
    client.force_login(person(Role.VIEWER))
    assert client.get("/metrics").status_code == 200


def test_every_metric_is_in_the_operators_table(api: Client) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    table = page.partition("| Name | Type | What |\n|---|---|---|\n")[2].partition("\n\n")[0]
    names = "".join(row.split("|")[1] for row in table.splitlines())
    documented = set(re.findall(r"`(\w+)(?:\{\w+\})?`", names))
    families = text_string_to_metric_families(api.get("/metrics").content.decode())
    told = {family.name.removeprefix("data_handler_") + "_total" * (family.type == "counter") for family in families}
    assert told == documented


@pytest.mark.usefixtures("empty_feed")
async def test_what_clients_of_the_feed_are_not_shown_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()

    def count(name: str, n: int = 1, **labels: str) -> None:
        counted[" ".join([name, *labels.values()])] += n

    monkeypatch.setattr("monitor.consumers.counters.count", count)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", max_rate=0)
        await asyncio.to_thread(feed.client().incrby, feed.SEQ, 3)
        await publish([("sensors", None)] * 5)
        assert [(await watcher.frame())["op"] for _ in range(2)] == ["gap", "events"]
    assert counted == {"websocket_gaps lost": 1, "websocket_omitted": 5}
