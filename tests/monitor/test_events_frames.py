"""What a subscription to events gets."""

import random

from tests.monitor.watching import Arrival, publish, watching


async def test_an_event_comes_whole_with_its_number() -> None:
    async with watching() as watcher:
        ok = await watcher.ask("sub", id="a")
        batch = await publish([("sensors", "reading")])
        assert ok == {"op": "ok", "id": "a", "epoch": batch.epoch, "seq": 0}
        assert await watcher.frame() == {
            "op": "events",
            "id": "a",
            "epoch": batch.epoch,
            "from": 1,
            "to": 1,
            "n": 1,
            "matched": 1,
            "omitted": 0,
            "unchecked": 0,
            "behind": 0,
            "events": [{"stream": "sensors", "type": "reading", "number": 0}],
        }


async def test_events_that_are_not_shown_are_counted() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await publish([("sensors", None)] * 1000, shown=200)
        frame = await watcher.frame()
        assert (frame["n"], frame["matched"], frame["omitted"]) == (1000, 1000, 800)
        assert [event["number"] for event in frame["events"]] == list(range(800, 1000))


async def test_a_filter_counts_exactly_what_it_lets_through() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", stream="sensors", type="reading")
        arrivals: list[Arrival] = [("sensors", "reading"), ("sensors", "alarm"), ("doors", "reading")]
        await publish(arrivals * 50, shown=6)
        frame = await watcher.frame()
        assert (frame["n"], frame["matched"], frame["omitted"]) == (150, 50, 48)
        assert {(event["stream"], event["type"]) for event in frame["events"]} == {("sensors", "reading")}


async def test_a_stretch_without_a_match_is_covered_by_the_next_frame() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a", stream="sensors")
        await publish([("doors", None)] * 7)
        assert await watcher.receive_nothing(0.3)
        await publish([("sensors", None)])
        frame = await watcher.frame()
        assert (frame["from"], frame["to"], frame["matched"]) == (1, 8, 1)


async def test_batches_of_a_busy_moment_share_a_frame_of_at_most_500_events() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        for number in range(10):
            await publish([("sensors", None)] * 200, first=200 * number)
        frames = await watcher.frames_until(2000)
        assert len(frames) < 10
        assert sum(frame["matched"] for frame in frames) == 2000
        assert max(len(frame["events"]) for frame in frames) <= 500
        assert frames[-1]["events"][-1]["number"] == 1999


async def test_whatever_arrives_frames_join_and_sums_are_exact() -> None:
    streams, types = ["sensors", "doors", "cars"], ["reading", "alarm", None]
    filters = {
        "all": (None, None),
        "stream": ("doors", None),
        "type": (None, "alarm"),
        "both": ("cars", "reading"),
    }
    matched, shown = dict.fromkeys(filters, 0), dict.fromkeys(filters, 0)
    async with watching() as watcher:
        for id, (stream, type) in filters.items():
            await watcher.ask("sub", id=id, stream=stream, type=type)
        last = dict.fromkeys(filters, 0)
        expected = dict.fromkeys(filters, 0)
        for _ in range(20):
            arrivals = [(random.choice(streams), random.choice(types)) for _ in range(random.randint(1, 400))]
            await publish(arrivals, shown=random.randint(1, 200))
            for id, (stream, type) in filters.items():
                expected[id] += sum(stream in (None, s) and type in (None, t) for s, t in arrivals)
        await publish([("doors", "alarm"), ("cars", "reading")])
        expected = {id: count + (2 if id == "all" else 1) for id, count in expected.items()}
        while matched != expected:
            frame = await watcher.frame()
            assert frame["from"] == last[frame["id"]] + 1
            assert frame["n"] == frame["to"] - frame["from"] + 1
            assert frame["matched"] == len(frame["events"]) + frame["omitted"]
            last[frame["id"]] = frame["to"]
            matched[frame["id"]] += frame["matched"]
            shown[frame["id"]] += len(frame["events"])
        assert await watcher.receive_nothing(0.3)
    assert set(last.values()) == {last["all"]}
    assert 0 < shown["all"] < matched["all"]


async def test_after_unsub_nothing_comes() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await publish([("sensors", None)])
        await watcher.frame()
        assert (await watcher.ask("unsub", id="a"))["seq"] == 1
        await publish([("sensors", None)])
        assert await watcher.receive_nothing(0.3)


async def test_a_subscription_begins_after_the_seq_of_its_ok() -> None:
    await publish([("sensors", None)] * 5)
    async with watching() as watcher:
        assert (await watcher.ask("sub", id="a"))["seq"] == 5
        await publish([("sensors", None)])
        assert (await watcher.frame())["from"] == 6
