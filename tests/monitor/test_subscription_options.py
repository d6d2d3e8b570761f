"""Filters by payload and type, and `max_rate`."""

import json
from typing import Any

from ingest import feed
from monitor.broadcast import broadcast
from tests.monitor.watching import announcement, publish, watching


async def publish_payloads(payloads: list[dict[str, Any]], n: int | None = None) -> None:
    """Announce events with these payloads, as the only ones shown of `n`."""
    told = announcement([("sensors", "reading")] * (n or len(payloads)))
    told["events"] = [
        ["sensors", "reading", json.dumps({"type": "reading", "key": None, "payload": payload})] for payload in payloads
    ]
    position = feed.append(told)
    assert position is not None
    broadcast(position)


async def test_events_are_chosen_by_their_payload() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", filter="payload.speed>5 pump")
        await publish_payloads([{"speed": speed, "name": "Pump"} for speed in range(10)])
        frame = await watcher.frame()
        assert [event["payload"]["speed"] for event in frame["events"]] == [6, 7, 8, 9]
        assert (frame["n"], frame["matched"], frame["omitted"], frame["unchecked"]) == (10, 4, 0, 0)


async def test_events_whose_payload_is_not_there_are_said_to_be_unchecked() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", filter="payload.speed>5")
        await publish_payloads([{"speed": 9}, {"speed": 1}], n=100)
        frame = await watcher.frame()
        assert (frame["n"], frame["matched"], frame["unchecked"]) == (100, 1, 98)


async def test_types_are_chosen_by_a_glob() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", type="alarm.*")
        await publish([("s", "alarm.high"), ("s", "alarm"), ("s", "alarm.low"), ("s", None)])
        frame = await watcher.frame()
        assert [event["type"] for event in frame["events"]] == ["alarm.high", "alarm.low"]
        assert (frame["matched"], frame["unchecked"]) == (2, 0)


async def test_in_a_flood_of_types_those_put_together_are_unchecked() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", type="alarm")
        await publish([("s", "alarm"), ("s", "(other)"), ("s", "(other)")], shown=1)
        frame = await watcher.frame()
        assert (frame["matched"], frame["unchecked"]) == (1, 2)


async def test_a_filter_that_makes_no_sense_is_refused_and_the_connection_goes_on() -> None:
    async with watching() as watcher:
        error = await watcher.ask("sub", id="a", filter="payload.speed")
        assert (error["code"], error["id"], error["temporary"]) == ("bad_filter", "a", False)
        assert "payload.speed" in error["message"]
        assert (await watcher.ask("sub", id="a"))["op"] == "ok"


async def test_beyond_max_rate_the_newest_are_shown_and_all_are_counted() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", max_rate=10)
        await publish([("s", None)] * 100)
        frame = await watcher.frame()
        assert (frame["matched"], frame["omitted"]) == (100, 90)
        assert [event["number"] for event in frame["events"]] == list(range(90, 100))
        await publish([("s", None)] * 100)
        frame = await watcher.frame()
        assert frame["matched"] == 100
        assert len(frame["events"]) < 10


async def test_a_max_rate_of_nothing_leaves_the_counts() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", max_rate=0)
        await publish([("s", None)] * 5)
        frame = await watcher.frame()
        assert (frame["matched"], frame["omitted"], frame["events"]) == (5, 5, [])
