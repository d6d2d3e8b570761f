"""Coming back with `since`."""

import asyncio
from typing import Any

import pytest
from pytest_django import Settings

from ingest import feed
from tests.monitor.watching import Watcher, append, publish, watching


async def covered(watcher: Watcher, since: int, until: int) -> tuple[list[int], list[dict[str, Any]]]:
    """Numbers of the events shown and all gaps, after checking that frames cover every number once."""
    shown: list[int] = []
    gaps: list[dict[str, Any]] = []
    at = since
    while at < until:
        frame = await watcher.frame()
        assert frame["from"] == at + 1, frame
        at = frame["to"]
        if frame["op"] == "gap":
            gaps.append(frame)
        else:
            assert frame["matched"] == len(frame["events"]) + frame["omitted"]
            shown += [event["number"] for event in frame["events"]]
    return shown, gaps


async def test_what_was_missed_comes_whole_and_the_rest_follows() -> None:
    for number in range(60):
        batch = await append([("sensors", None)] * 50, first=50 * number)
    async with watching() as watcher:
        ok = await watcher.ask("sub", id="a", since={"epoch": batch.epoch, "seq": 500})
        assert (ok["epoch"], ok["seq"]) == (batch.epoch, 500)
        publishing = asyncio.create_task(publish([("sensors", None)] * 50, first=3000))
        assert (await covered(watcher, 500, 3050)) == (list(range(500, 3050)), [])
        await publishing
        await publish([("sensors", None)], first=3050)
        frame = await watcher.frame()
        assert (frame["from"], frame["behind"], frame["events"][0]["number"]) == (3051, 0, 3050)


async def test_while_catching_up_a_client_is_told_how_far_behind_it_is() -> None:
    for _ in range(30):
        batch = await append([("sensors", None)] * 100)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", since={"epoch": batch.epoch, "seq": 0})
        frame = await watcher.frame()
        assert frame["behind"] == 3000 - frame["to"] > 0
        frames = await watcher.frames_until(3000)
        assert frames[-1]["behind"] == 0


async def test_what_is_not_kept_any_more_is_a_gap(settings: Settings) -> None:
    settings.FEED_REPLAY_EVENTS = 20
    for number in range(10):
        batch = await append([("sensors", None)] * 10, first=10 * number)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", since={"epoch": batch.epoch, "seq": 30})
        shown, gaps = await covered(watcher, 30, 100)
        assert shown == list(range(80, 100))
        assert [(gap["from"], gap["to"], gap["reason"]) for gap in gaps] == [(31, 80, "expired")]


async def test_numbers_with_nothing_behind_them_are_a_gap() -> None:
    await append([("sensors", None)] * 3)
    await asyncio.to_thread(feed.client().incrby, feed.SEQ, 4)
    batch = await append([("sensors", None)] * 3, first=3)
    await asyncio.to_thread(feed.client().incrby, feed.SEQ, 2)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", since={"epoch": batch.epoch, "seq": 0})
        shown, gaps = await covered(watcher, 0, 12)
        assert shown == list(range(6))
        assert [(gap["from"], gap["to"], gap["reason"]) for gap in gaps] == [(4, 7, "lost"), (11, 12, "lost")]


async def test_after_a_new_epoch_all_of_it_comes() -> None:
    old = await append([("sensors", None)] * 9)
    await asyncio.to_thread(feed.client().flushall)
    new = await append([("sensors", None)] * 2)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", since={"epoch": old.epoch, "seq": 9})
        gap = await watcher.frame()
        assert (gap["op"], gap["epoch"], gap["from"], gap["to"], gap["reason"]) == ("gap", new.epoch, 1, 0, "new_epoch")
        assert (await covered(watcher, 0, 2)) == ([0, 1], [])


async def test_since_the_present_nothing_is_missed() -> None:
    batch = await append([("sensors", None)] * 2)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", since={"epoch": batch.epoch, "seq": 2})
        assert await watcher.receive_nothing(0.2)
        await publish([("sensors", None)], first=2)
        assert (await covered(watcher, 2, 3)) == ([2], [])


async def test_a_place_that_the_feed_has_not_reached_is_refused() -> None:
    batch = await append([("sensors", None)] * 2)
    async with watching() as watcher:
        error = await watcher.ask("sub", id="a", since={"epoch": batch.epoch, "seq": 3})
        assert (error["code"], error["temporary"]) == ("bad_since", False)


@pytest.mark.parametrize("seq", [1, 2])
async def test_a_place_within_an_announcement_is_never_a_hidden_hole(seq: int) -> None:
    batch = await append([("sensors", None)] * 3)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", since={"epoch": batch.epoch, "seq": seq})
        assert (await covered(watcher, seq, 3))[1][0]["from"] == seq + 1


async def test_catching_up_obeys_the_filter() -> None:
    for number in range(5):
        batch = await append([("sensors", "a"), ("sensors", "b"), ("doors", "a")], first=3 * number)
    async with watching() as watcher:
        since = {"epoch": batch.epoch, "seq": 0}
        await watcher.ask("sub", id="a", stream="sensors", type="a", since=since)
        (frame,) = await watcher.frames_until(15)
        assert frame["matched"] == 5
        assert [event["number"] for event in frame["events"]] == [0, 3, 6, 9, 12]
