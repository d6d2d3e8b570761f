"""The client of the feed, against a server that plays what it is told to."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from monitor.client import Events, Feed, Gap, Phase, Position, ProtocolViolation, Refused, State, Subscription
from monitor.client.backoff import Backoff
from tests.monitor.stage import Stage, error, events, gap, playing

KEY = "dh_test"


async def no_pause(seconds: float) -> None:
    pass


async def collected(feed: Feed, most: int) -> list[Any]:
    async with asyncio.timeout(10), aclosing(feed.frames()) as frames:
        return [await anext(frames) for _ in range(most)]


async def violation(*told: dict[str, Any]) -> str:
    async def scene(stage: Stage) -> None:
        await stage.admit(seq=10)
        await stage.say(*told)
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        with pytest.raises(ProtocolViolation) as raised:
            await collected(Feed(url, KEY), len(told) + 1)
    return str(raised.value)


async def test_frames_come_in_order_and_add_up() -> None:
    async def scene(stage: Stage) -> None:
        assert stage.socket.request
        assert stage.socket.request.headers["Authorization"] == "Bearer dh_test"
        sub = await stage.admit(seq=10)
        assert sub == {"op": "sub", "id": "feed", "mode": "events", "stream": "sensors", "max_rate": 2}
        await stage.say({"op": "hb", "epoch": "e", "seq": 10}, events(11, 15, shown=2), gap(16, 18))
        await stage.say(events(19, 30, shown=1, matched=4, omitted=3, unchecked=5, behind=7))
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        feed = Feed(url, KEY, Subscription(stream="sensors", max_rate=2))
        first, lost, last = await collected(feed, 3)
    assert isinstance(first, Events)
    assert isinstance(lost, Gap)
    assert [bytes(event.payload) for event in first.read()] == [b'{"number": 14}', b'{"number": 15}']
    assert (last.first, last.last) == (19, 30)
    seen = feed.coverage
    assert (seen.covered, seen.matched, seen.shown, seen.omitted, seen.unchecked) == (17, 9, 3, 6, 5)
    assert (dict(seen.missing), seen.behind, seen.position) == ({"lost": 3}, 7, Position("e", 30))
    assert feed.state.phase is Phase.CATCHING_UP


async def test_after_a_lost_connection_it_goes_on_where_it_was() -> None:
    subs: list[dict[str, Any]] = []
    states: list[str] = []

    async def first(stage: Stage) -> None:
        subs.append(await stage.admit(seq=10))
        await stage.say(events(11, 12), error("shutting_down", temporary=True))
        await stage.socket.close(4501)

    async def second(stage: Stage) -> None:
        subs.append(await stage.admit(seq=14))
        await stage.say(events(13, 13, behind=1), events(14, 14))
        await stage.socket.wait_closed()

    async with playing(first, second) as url:
        feed = Feed(url, KEY, on_state=lambda state: states.append(str(state.phase)), sleep=no_pause)
        frames = await collected(feed, 3)
    assert [(frame.first, frame.last) for frame in frames] == [(11, 12), (13, 13), (14, 14)]
    assert [sub.get("since") for sub in subs] == [None, {"epoch": "e", "seq": 12}]
    assert states == ["live", "waiting", "connecting", "catching up", "live"]


async def test_pauses_double_up_to_half_a_minute_and_begin_anew_after_a_steady_while() -> None:
    pauses: list[float] = []
    now = 0.0

    async def remember(seconds: float) -> None:
        pauses.append(seconds)

    async def closing(stage: Stage) -> None:
        await stage.socket.close(1012)

    async def steady(stage: Stage) -> None:
        await stage.admit()
        await stage.say(events(1, 1))

    async def last(stage: Stage) -> None:
        await stage.admit()
        await stage.say(events(2, 2))
        await stage.socket.wait_closed()

    async with playing(*[closing] * 9, steady, last) as url:
        feed = Feed(url, KEY, backoff=Backoff(lambda: 1.0), clock=lambda: now, sleep=remember)
        async with asyncio.timeout(10), aclosing(feed.frames()) as frames:
            await anext(frames)
            now += 60
            await anext(frames)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 0.5]


def test_a_server_may_ask_for_a_longer_pause_but_not_for_ever() -> None:
    backoff = Backoff(lambda: 0.5)
    assert [backoff.pause_seconds(asked) for asked in (0, 7, 9999)] == [0.25, 7, 300]


async def test_a_silent_connection_is_given_up() -> None:
    async def silent(stage: Stage) -> None:
        await stage.admit()
        await stage.socket.wait_closed()

    async def talking(stage: Stage) -> None:
        await stage.admit()
        await stage.say(events(1, 1))
        await stage.socket.wait_closed()

    states: list[State] = []
    async with playing(silent, talking) as url:
        await collected(Feed(url, KEY, on_state=states.append, sleep=no_pause, silence_seconds=0.2), 1)
    assert any(state.reason == "nothing was heard for 0 s" for state in states)


@pytest.mark.parametrize(
    ("code", "name", "advice"),
    [(4400, "bad_frame", "Mend"), (4401, "not_authenticated", "another API key"), (4403, "permission_denied", "scope")],
)
async def test_what_would_happen_again_is_not_tried_again(code: int, name: str, advice: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.say(error(name))
        await stage.socket.close(code)

    async with playing(scene) as url:
        with pytest.raises(Refused, match=rf"It is {name}\. .*{advice}") as refused:
            await collected(Feed(url, KEY, sleep=no_pause), 1)
    assert refused.value.code == name


async def test_a_refused_subscription_ends_it_although_the_connection_goes_on() -> None:
    async def scene(stage: Stage) -> None:
        await stage.say({"op": "hello", "epoch": "e", "seq": 0, "authenticated": True, "limits": {}})
        sub = await stage.hear()
        await stage.say(error("bad_filter", id=sub["id"]))
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        with pytest.raises(Refused, match="what a filter may say"):
            await collected(Feed(url, KEY, Subscription(filter='"')), 1)


async def test_a_key_that_got_lost_on_the_way_is_sent_as_a_frame() -> None:
    async def scene(stage: Stage) -> None:
        await stage.say({"op": "hello", "epoch": None, "seq": None, "authenticated": False, "limits": {}})
        assert await stage.hear() == {"op": "auth", "token": KEY}
        await stage.admit()
        await stage.say(events(1, 1))
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        assert len(await collected(Feed(url, KEY), 1)) == 1


async def test_what_was_dealt_with_is_acknowledged_once_a_second_and_what_is_worked_on_is_not() -> None:
    acks: list[dict[str, Any]] = []
    done = asyncio.Event()

    async def scene(stage: Stage) -> None:
        await stage.admit()
        await stage.say(*[events(number, number) for number in range(1, 101)])
        acks.append(await stage.hear())
        done.set()
        await stage.socket.wait_closed()

    async with playing(scene) as url, aclosing(Feed(url, KEY).frames()) as frames:
        for _ in range(100):
            await anext(frames)
        await asyncio.wait_for(done.wait(), 5)
    assert acks == [{"op": "ack", "seq": 99}]


async def test_a_new_epoch_is_counted_as_an_unknown_loss() -> None:
    async def scene(stage: Stage) -> None:
        await stage.admit(epoch="new", seq=2)
        await stage.say(gap(1, 0, "new_epoch", "new"), events(1, 2, epoch="new"))
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        feed = Feed(url, KEY, Subscription(since=Position("old", 7)))
        await collected(feed, 2)
    assert (feed.coverage.renumbered, feed.coverage.position) == (1, Position("new", 2))


async def test_a_server_that_forgot_numbers_that_it_gave_is_left_with_a_gap_instead_of_an_end() -> None:
    async def first(stage: Stage) -> None:
        await stage.admit(seq=10)
        await stage.say(events(11, 12))
        await stage.socket.close(1001)

    async def second(stage: Stage) -> None:
        await stage.say({"op": "hello", "epoch": "e", "seq": 5, "authenticated": True, "limits": {}})
        await stage.say(error("bad_since", id=(await stage.hear())["id"]))
        sub = await stage.hear()
        assert "since" not in sub
        await stage.say({"op": "ok", "id": sub["id"], "epoch": "e", "seq": 5}, events(6, 6))
        await stage.socket.wait_closed()

    async with playing(first, second) as url:
        feed = Feed(url, KEY, sleep=no_pause)
        _, lost, last = await collected(feed, 3)
    assert (lost.reason, lost.first, lost.last) == ("bad_since", 1, 0)
    assert (last.first, feed.coverage.renumbered) == (6, 1)


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ([events(12, 13)], "begins at 12 after one that ended at 10"),
        ([events(11, 13), events(13, 14)], "begins at 13 after one that ended at 13"),
        ([events(11, 13), gap(15, 16)], "begins at 15"),
        ([events(11, 13, n=4)], "n is 4 from 11 to 13"),
        ([events(11, 13, matched=2)], "2 events match, of which 3 are shown and 0 omitted"),
        ([events(11, 13, unchecked=1)], "of 3 events 3 match, 1 are unchecked"),
        ([events(11, 13, epoch="other")], "without a gap 'new_epoch'"),
        ([gap(11, 20, "new_epoch")], "not from 1 to 0"),
        ([events(11, 10)], "goes from 11 to 10"),
        ([{"op": "events", "id": "feed"}], "missing required field"),
    ],
)
async def test_a_broken_rule_is_named(told: list[dict[str, Any]], fault: str) -> None:
    assert fault in await violation(*told)
