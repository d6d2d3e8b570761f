"""Frames that are refused, and how connections end."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User

from data_handler import embedded
from ingest import feed
from ingest.feed import Entry, Position
from monitor import clients, hub, outbox
from monitor.batches import Batch
from monitor.broadcast import GROUP, message
from tests.monitor.frozen import frozen
from tests.monitor.watching import PAGE, append, dialled, publish, watching


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"op": "dance"}',
        '{"op": "sub"}',
        '{"op": "sub", "id": 1}',
        '{"op": "sub", "id": ""}',
        '{"op": "sub", "id": "a", "mode": "all"}',
        '{"op": "sub", "id": "a", "colour": "red"}',
        '{"op": "sub", "id": "b", "mode": "stats", "type": "reading"}',
        '{"op": "sub", "id": "\\ud800"}',
    ],
)
async def test_a_frame_that_makes_no_sense_closes_with_4400(text: str) -> None:
    async with watching() as watcher:
        await watcher.send_to(text_data=text)
        assert await watcher.closing() == ("bad_frame", 4400)


async def test_a_binary_frame_closes_with_4400() -> None:
    async with watching() as watcher:
        await watcher.send_to(bytes_data=b"{}")
        assert await watcher.closing() == ("bad_frame", 4400)


async def test_a_frame_beyond_64_kib_closes_with_4413() -> None:
    async with watching() as watcher:
        await watcher.send_json_to({"op": "sub", "id": "a", "stream": "x" * 65_536})
        assert await watcher.closing() == ("frame_too_large", 4413)


async def test_an_error_says_whether_it_is_worth_coming_back() -> None:
    async with watching() as watcher:
        error = await watcher.ask("unsub", id="nothing")
        assert error == {
            "op": "error",
            "code": "unknown_id",
            "message": "There is no subscription 'nothing'.",
            "temporary": False,
            "id": "nothing",
        }
        assert (await watcher.ask("sub", id="a"))["op"] == "ok"


async def test_an_id_serves_one_subscription_at_a_time() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        assert (await watcher.ask("sub", id="a", mode="stats"))["code"] == "id_taken"
        await watcher.ask("unsub", id="a")
        assert (await watcher.ask("sub", id="a"))["op"] == "ok"


async def test_subscriptions_of_a_connection_are_limited() -> None:
    async with watching() as watcher:
        for number in range(32):
            assert (await watcher.ask("sub", id=str(number)))["op"] == "ok"
        assert (await watcher.ask("sub", id="one more"))["code"] == "too_many"


async def test_a_process_takes_a_limited_number_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MAX_CLIENTS", 1)
    async with watching(), dialled(PAGE, user=User(pk=2, is_superuser=True)) as second:
        await second.connect()
        assert await second.closing() == ("too_many_clients", 4529)


async def test_at_shutdown_clients_are_asked_to_come_back() -> None:
    async with watching() as watcher:
        clients.close_all()
        error = await watcher.frame()
        assert (error["code"], error["temporary"]) == ("shutting_down", True)
        assert (await watcher.receive_output(1))["code"] == 4501


async def test_a_quiet_connection_is_told_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = (await append([("sensors", None)] * 4)).epoch
    monkeypatch.setattr(outbox, "HEARTBEAT_SECONDS", 0.2)
    async with watching() as watcher:
        assert await watcher.frame() == {"op": "hb", "epoch": epoch, "seq": 4}
        await watcher.send_json_to({"op": "pong"})
        assert await watcher.frame() == {"op": "hb", "epoch": epoch, "seq": 4}


async def test_batches_that_arrive_out_of_order_are_put_in_order() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        first, second = await append([("sensors", None)] * 3), await append([("sensors", None)] * 2)
        await _send(second)
        await _send(first)
        frames = await watcher.frames_until(5)
        assert (frames[0]["from"], sum(frame["n"] for frame in frames)) == (1, 5)
        assert sum(len(frame["events"]) for frame in frames) == 5
        assert await watcher.receive_nothing(0.3)


async def test_a_broadcast_that_is_lost_is_made_up_for() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await append([("sensors", None)] * 3)
        frame = await watcher.frame()
        assert (frame["from"], frame["to"], len(frame["events"])) == (1, 3, 3)


async def test_what_nobody_knows_any_more_is_a_gap() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await asyncio.to_thread(feed.client().incrby, feed.SEQ, 3)
        batch = await publish([("sensors", None)])
        gap = {"op": "gap", "id": "a", "epoch": batch.epoch, "from": 1, "to": 3, "reason": "lost"}
        assert await watcher.frame() == gap
        assert (await watcher.frame())["from"] == 4


async def test_a_redis_that_lost_its_data_is_said() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await publish([("sensors", None)])
        await watcher.frame()
        await asyncio.to_thread(feed.client().flushall)
        batch = await publish([("sensors", None)] * 2)
        gap = await watcher.frame()
        assert (gap["reason"], gap["epoch"], gap["to"]) == ("new_epoch", batch.epoch, 0)
        frame = await watcher.frame()
        assert (frame["epoch"], frame["from"], frame["to"]) == (batch.epoch, 1, 2)


async def test_a_lost_connection_to_redis_is_survived_and_nothing_is_missed() -> None:
    async with watching() as watcher:
        await watcher.ask("sub", id="a")
        await asyncio.to_thread(feed.client().client_kill_filter, _type="pubsub")
        await publish([("sensors", None)] * 3)
        frame = await watcher.frame()
        assert (frame["from"], frame["to"], len(frame["events"])) == (1, 3, 3)


async def test_while_redis_does_not_answer_clients_are_asked_to_come_back_and_miss_nothing(
    services: embedded.Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "AWAY_SECONDS", 1.0)
    async with watching() as watcher, watching() as figures:
        ok = await watcher.ask("sub", id="a")
        await figures.ask("sub", id="s", mode="stats")
        with frozen(services.broker):
            assert await watcher.closing(15) == ("unavailable", 4503)
            while (told := await figures.frame())["op"] == "stats":
                pass
            assert told["code"] == "unavailable"
    await append([("sensors", None)] * 3)
    async with watching() as watcher:
        await watcher.ask("sub", id="a", since={"epoch": ok["epoch"], "seq": ok["seq"]})
        frame = await watcher.frame()
        assert (frame["from"], frame["to"], len(frame["events"])) == (1, 3, 3)


async def test_a_client_that_comes_while_redis_does_not_answer_is_not_let_in_by_those_who_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with watching(), dialled(PAGE, user=User(pk=2, is_superuser=True)) as second:
        monkeypatch.setattr(hub.hub(), "_away", True)
        await second.connect()
        assert await second.closing() == ("unavailable", 4503)


async def test_all_clients_of_a_process_share_one_place_in_the_group() -> None:
    async with watching() as first, watching() as second:
        await first.ask("sub", id="a")
        await second.ask("sub", id="b")
        batch = await append([("sensors", None)])
        assert await _send(batch) == 1
        assert (await first.frame())["events"] == (await second.frame())["events"]


async def test_when_the_last_client_leaves_the_group_is_left() -> None:
    async with watching() as watcher:
        await watcher.disconnect()
        assert await _send(await append([("sensors", None)])) == 0


async def _send(batch: Batch) -> int:
    """How many members the group has."""
    entry = await asyncio.to_thread(feed.entry, Position(batch.epoch, batch.last))
    assert isinstance(entry, Entry)
    layer = get_channel_layer()
    channel = layer._get_group_channel_name(GROUP)
    data = layer.serialize(message(batch.epoch, entry))
    return int(await asyncio.to_thread(feed.client().publish, channel, data))
