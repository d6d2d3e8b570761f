"""The figures of the live feed."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from access.keys import create_key
from access.models import Scope
from data_handler import embedded
from ingest.models import RollupTotal, Stream
from ingest.progress import Progress
from monitor.stats import MOST_LISTED, Report
from tests.monitor.frozen import frozen
from tests.monitor.watching import Watcher, dialled, publish, watching

PROGRESS = Progress(
    buffered_events=7,
    buffered_bytes=700,
    oldest_age_seconds=1.5,
    stored=90,
    duplicates=2,
    dead=1,
    lag_p50_ms=12.0,
    lag_p99_ms=80.0,
)
RATES: dict[tuple[str, str | None], float] = {
    ("sensors", "reading"): 90.0,
    ("sensors", None): 10.0,
    ("doors", "alarm"): 0.5,
}
COUNTS: dict[tuple[str, str | None], int] = {("sensors", "reading"): 92, ("sensors", None): 9}


def fields(report: Report, streams: frozenset[str] | None = None) -> dict[str, Any]:
    return dict(json.loads(report.frame("a", streams)))


def test_a_report_about_everything() -> None:
    assert fields(Report(1000.0, 1.0, 100, RATES, COUNTS, PROGRESS)) == {
        "op": "stats",
        "id": "a",
        "at": 1000.0,
        "interval_seconds": 1.0,
        "received": {"total": 100, "per_second": 100.5, "n": 101},
        "by_stream": [
            {"stream": "sensors", "per_second": 100.0, "n": 101},
            {"stream": "doors", "per_second": 0.5, "n": 0},
        ],
        "by_type": [
            {"type": "reading", "per_second": 90.0, "n": 92},
            {"type": None, "per_second": 10.0, "n": 9},
            {"type": "alarm", "per_second": 0.5, "n": 0},
        ],
        "buffered": {"events": 7, "bytes": 700, "oldest_age_seconds": 1.5},
        "stored": 90,
        "duplicates": 2,
        "dead": 1,
        "lag_ms": {"p50": 12.0, "p99": 80.0},
    }


def test_a_report_about_some_streams_tells_nothing_of_others() -> None:
    told = fields(Report(1000.0, 1.0, 100, RATES, COUNTS, PROGRESS), frozenset({"doors"}))
    assert told["received"] == {"total": None, "per_second": 0.5, "n": 0}
    assert told["by_stream"] == [{"stream": "doors", "per_second": 0.5, "n": 0}]
    assert told["by_type"] == [{"type": "alarm", "per_second": 0.5, "n": 0}]
    assert [told[name] for name in ("buffered", "stored", "duplicates", "dead", "lag_ms")] == [None] * 5


def test_only_the_fastest_streams_are_listed() -> None:
    told = fields(Report(1000.0, 1.0, 0, {(f"s{number}", None): float(number) for number in range(50)}, {}, None))
    assert [line["stream"] for line in told["by_stream"]] == [f"s{49 - place}" for place in range(MOST_LISTED)]
    assert told["received"]["per_second"] == sum(range(50))


@pytest.mark.django_db(transaction=True)
async def test_a_frame_comes_every_second_with_what_arrived_and_was_stored() -> None:
    await sync_to_async(_store)(42)
    async with watching() as watcher:
        assert (await watcher.ask("sub", id="s", mode="stats"))["op"] == "ok"
        await publish([("sensors", "reading")] * 30 + [("doors", None)] * 10, shown=5)
        told = await watcher.frame()
        assert told["received"]["total"] == 40
        assert told["received"]["per_second"] == pytest.approx(40, rel=0.5)
        assert [line["stream"] for line in told["by_stream"]] == ["sensors", "doors"]
        assert told["stored"] == 42
        assert told["buffered"]["events"] == 0
        later = await watcher.frame()
        assert later["at"] - told["at"] == pytest.approx(1.0, abs=0.5)
        assert later["interval_seconds"] == pytest.approx(later["at"] - told["at"], abs=0.1)
        assert told["received"]["n"] + later["received"]["n"] == 40
        assert sum(line["n"] for frame in (told, later) for line in frame["by_type"]) == 40
        await _unsubscribe(watcher)
        assert await watcher.receive_nothing(1.3)


@pytest.mark.django_db(transaction=True)
async def test_while_the_database_hangs_the_figures_of_the_feed_go_on(services: embedded.Services) -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="s", mode="stats")
        await publish([("sensors", None)] * 3)
        with frozen(services.postgres):
            told = await watcher.frame(5)
        assert (told["received"]["total"], told["stored"], told["buffered"]) == (3, None, None)
        while (await watcher.frame(5))["stored"] is None:
            pass


async def test_a_key_for_some_streams_gets_figures_of_those(transactional_db: None) -> None:
    _, token = await sync_to_async(create_key)("test", [Scope.READ], streams=["doors"])
    headers = [(b"authorization", f"Bearer {token}".encode())]
    async with dialled(headers) as watcher:
        await watcher.connect()
        await watcher.frame()
        await watcher.ask("sub", id="s", mode="stats")
        await publish([("sensors", None)] * 30 + [("doors", None)] * 10)
        told = await watcher.frame()
        assert told["received"]["total"] is None
        assert [line["stream"] for line in told["by_stream"]] == ["doors"]


def _store(events: int) -> None:
    stream = Stream.objects.create(name="sensors")
    zero = dict.fromkeys(("bytes", "duplicates", "dead"), 0)
    RollupTotal.objects.create(stream=stream, events=events, **zero)


async def _unsubscribe(watcher: Watcher) -> None:
    await watcher.send_json_to({"op": "unsub", "id": "s"})
    while (await watcher.frame())["op"] == "stats":
        pass
