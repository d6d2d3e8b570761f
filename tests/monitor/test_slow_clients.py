"""Clients that acknowledge too slowly. Those that do not read: test_unread.py."""

import asyncio
from collections import Counter

import pytest

from monitor import acknowledgements
from monitor.acknowledgements import Acknowledgements
from tests.monitor.watching import publish, watching


async def test_one_that_acknowledges_too_slowly_is_only_counted_for_until_it_catches_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acknowledgements, "UNACKNOWLEDGED_SECONDS", 0.2)
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await watcher.send_json_to({"op": "ack", "seq": 0})
        await publish([("s", None)])
        await watcher.frame()
        error = await watcher.frame()
        assert (error["code"], error["temporary"]) == ("behind", True)
        for number in range(3):
            await publish([("s", None)] * 300, first=1 + 300 * number)
        assert await watcher.receive_nothing(0.3)
        await watcher.send_json_to({"op": "ack", "seq": 1})
        frames = await watcher.frames_until(901)
        assert frames[0]["from"] == 2
        assert sum(frame["matched"] for frame in frames) == 900
        assert frames[-1]["events"][-1]["number"] == 900


@pytest.mark.django_db(transaction=True)
async def test_one_that_is_behind_still_gets_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledgements, "UNACKNOWLEDGED_BYTES", 10)
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await watcher.ask("sub", id="s", mode="stats")
        await watcher.send_json_to({"op": "ack", "seq": 0})
        await publish([("s", None)])
        await publish([("s", None)])
        kinds = [(await watcher.frame())["op"] for _ in range(4)]
        assert kinds[:2] == ["events", "error"]
        assert kinds[2:] == ["stats", "stats"]


async def test_one_that_never_catches_up_is_closed_with_4508(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledgements, "UNACKNOWLEDGED_SECONDS", 0.1)
    monkeypatch.setattr("monitor.outbox.SLOW_CLOSE_SECONDS", 0.4)
    monkeypatch.setattr(acknowledgements, "SLOW_CLOSE_SECONDS", 0.4)
    counted: Counter[str] = Counter()
    monkeypatch.setattr("monitor.consumers.counters.count", lambda name, n=1: counted.update({name: n}))
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await watcher.send_json_to({"op": "ack", "seq": 0})
        await publish([("s", None)])
        await watcher.frame()
        assert (await watcher.frame())["code"] == "behind"
        assert await watcher.closing() == ("too_slow", 4508)
    assert counted["websocket_slow_closes"] == 1


async def test_one_that_never_acknowledged_anything_is_not_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acknowledgements, "UNACKNOWLEDGED_SECONDS", 0.1)
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        for number in range(4):
            await publish([("s", None)])
            assert (await watcher.frame())["to"] == number + 1
            await asyncio.sleep(0.1)


def test_one_acknowledgement_covers_all_frames_before() -> None:
    unacknowledged = Acknowledgements()
    unacknowledged.acknowledge(0)
    for last in (10, 20, 30):
        unacknowledged.sent(last, 400_000, float(last))
    assert unacknowledged.behind(30.0)
    unacknowledged.acknowledge(20)
    assert unacknowledged.late_seconds(31.0) == 1.0
    assert not unacknowledged.behind(31.0)
    unacknowledged.acknowledge(30)
    assert unacknowledged.late_seconds(1000.0) == 0


def test_acknowledgements_survive_a_new_epoch() -> None:
    unacknowledged = Acknowledgements()
    unacknowledged.acknowledge(0)
    for last in (1_000_000, 0, 5):
        unacknowledged.sent(last, 1, 0.0)
    unacknowledged.acknowledge(5)
    assert unacknowledged.late_seconds(1000.0) == 0
