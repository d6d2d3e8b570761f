"""`manage.py tail`, run as a command."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis

from ingest import feed
from monitor.client import Position
from monitor.client.errors import BadArgument
from monitor.terminal.text import cut, printable, printable_json
from tests.faults.installation import PROJECT, Installation
from tests.monitor.stage import Stage, error, events, gap, playing


async def start(url: str, *arguments: str, command: str = "tail") -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", command, "--url", url, *arguments,
        cwd=PROJECT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "DATA_HANDLER_KEY": "dh_test"},
        preexec_fn=_heed_interrupts,
    )  # fmt: skip


def _heed_interrupts() -> None:
    """Tests that run in the background of a shell ignore them, and so would what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, list[str], str]:
    """Status, lines of output, and what was said beside it."""
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, out.decode().splitlines(), err.decode()


async def told(*frames: dict[str, Any], arguments: tuple[str, ...] = ()) -> tuple[int | None, list[str], str]:
    async def scene(stage: Stage) -> None:
        await stage.admit()
        await stage.say(*frames)
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        return await ended(await start(url, *arguments))


def hostile(number: int) -> dict[str, Any]:
    frame = events(number, number)
    frame["events"][0] |= {
        "type": "\x1b]0;title\x07",
        "key": "a\nb",
        "payload": {"note": "\x9b31m\u202e\x7f\U000e0041"},
    }
    return frame


async def test_a_line_an_event_and_a_line_for_all_that_is_not_shown() -> None:
    frames = [events(1, 5, shown=2), gap(6, 8), events(9, 10)]
    status, lines, said = await told(*frames, arguments=("--limit", "3"))
    assert lines == [
        "── 3 events omitted ──",
        '12:34:56.789 sensors reading - {"number": 4}',
        '12:34:56.789 sensors reading - {"number": 5}',
        "── 3 events missing: lost (6 to 8) ──",
        '12:34:56.789 sensors reading - {"number": 9}',
    ]
    # Frame 9–10 was shown in part only: going on must not leave out its other half.
    assert (status, said) == (0, "3 shown, 3 omitted, 3 missing (lost 3); to go on: --since e:8\n")


async def test_json_loses_nothing_silently_and_keeps_events_as_they_are() -> None:
    frames = [events(1, 5, shown=1, unchecked=0), gap(6, 8, "expired"), events(9, 9)]
    status, lines, _ = await told(*frames, arguments=("--json", "--limit", "2"))
    objects = [json.loads(line) for line in lines]
    assert objects[0] == {"omitted": {"epoch": "e", "from": 1, "to": 5, "omitted": 4, "unchecked": 0}}
    assert objects[1] == frames[0]["events"][0]
    assert objects[2] == {"gap": {"epoch": "e", "from": 6, "to": 8, "reason": "expired"}}
    assert (status, len(objects)) == (0, 4)


@pytest.mark.parametrize("arguments", [(), ("--json",)])
async def test_no_event_can_steer_the_terminal(arguments: tuple[str, ...]) -> None:
    frame = hostile(1)
    _, lines, _ = await told(frame, arguments=(*arguments, "--limit", "1"))
    assert len(lines) == 1
    assert lines[0].isprintable()
    if arguments:
        assert json.loads(lines[0]) == frame["events"][0]


async def test_what_is_asked_for_reaches_the_server() -> None:
    asked: list[dict[str, Any]] = []

    async def scene(stage: Stage) -> None:
        asked.append(await stage.admit())
        await stage.say(events(8, 8))
        await stage.socket.wait_closed()

    wanted = ["--stream", "s", "--type", "a*", "--filter", "x payload.y>=1", "--max-rate", "5", "--since", "e:7"]
    async with playing(scene) as url:
        status, _, said = await ended(await start(url, *wanted, "--limit", "1"))
    assert (status, said) == (0, "1 shown, 0 omitted, 0 missing; to go on: --since e:8\n")
    assert asked == [
        {
            "op": "sub", "id": "feed", "mode": "events", "stream": "s", "type": "a*", "filter": "x payload.y>=1",
            "max_rate": 5, "since": {"epoch": "e", "seq": 7},
        }
    ]  # fmt: skip


async def test_a_refusal_ends_with_1_and_what_to_do() -> None:
    async def scene(stage: Stage) -> None:
        await stage.say(error("not_authenticated"))
        await stage.socket.close(4401)

    async with playing(scene) as url:
        status, lines, said = await ended(await start(url))
    assert (status, lines) == (1, [])
    assert "It is not_authenticated. Use another API key" in said


async def test_an_interrupt_ends_with_0_and_a_summary() -> None:
    async def scene(stage: Stage) -> None:
        await stage.admit()
        await stage.say(events(1, 2))
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        process = await start(url)
        assert process.stdout
        for _ in range(2):
            await asyncio.wait_for(process.stdout.readline(), 20)
        process.send_signal(signal.SIGINT)
        assert await ended(process) == (0, [], "2 shown, 0 omitted, 0 missing; to go on: --since e:2\n")


async def test_a_reader_that_goes_away_ends_it_without_a_word() -> None:
    async def scene(stage: Stage) -> None:
        await stage.admit()
        for number in range(1, 10_000):
            await stage.say(events(number, number))

    async with playing(scene) as url:
        command = f"{sys.executable} manage.py tail --url {url} --key dh_test | head -1"
        process = await asyncio.create_subprocess_shell(
            command, cwd=PROJECT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        status, lines, said = await ended(process)
    assert (status, len(lines), said) == (0, 1, "")


@pytest.mark.parametrize("text", ["", "7", ":7", "e:", "e:-1", "e:x"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(BadArgument, match="EPOCH:SEQ"):
        Position.parse(text)


def test_text_is_cut_by_the_room_that_it_takes() -> None:
    assert [cut("türen", 5), cut("türen!", 5), cut("日本語", 5), cut("abc", 0)] == ["türen", "türe…", "日本…", "…"]


def test_escaped_json_is_the_same_json() -> None:
    value = {"a\u2028": ["\x9b", "\U000e0041", "ok", "日本"]}
    text = printable_json(json.dumps(value, indent=1, ensure_ascii=False))
    assert text.isprintable()
    assert json.loads(text) == value
    assert printable("a\x1b[0m\n") == "a\\u001b[0m\\u000a"


@pytest.mark.stack
def test_a_restart_of_the_service_loses_nothing_of_what_is_seen(tmp_path: Path) -> None:
    """Two events before it watches, two while it does, a restart, two more: it sees six, each once."""
    service = Installation(tmp_path)
    try:
        service.start()
        _send(service, 0, 1)
        tail = _follow(service)
        try:
            numbers = _seen(tail, 2)
            _send(service, 2, 3)
            numbers += _seen(tail, 2)
            service.stop()
            service.start()
            _send(service, 4, 5)
            numbers += _seen(tail, 2)
            assert tail.wait(30) == 0
        finally:
            tail.kill()
            tail.communicate()
        assert numbers == [0, 1, 2, 3, 4, 5]
    finally:
        service.stop()


def _follow(service: Installation) -> "subprocess.Popen[str]":
    """From the first event on."""
    with redis.Redis.from_url(service.home.broker_url) as client:
        epoch = client.get(feed.EPOCH)
    assert isinstance(epoch, bytes)
    arguments = ["--url", service.url, "--json", "--limit", "6", "--since", f"{epoch.decode()}:0"]
    environment = {**os.environ, "DATA_HANDLER_KEY": service.key}
    command = [sys.executable, "manage.py", "tail", *arguments]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, env=environment)


def _send(service: Installation, *numbers: int) -> None:
    for number in numbers:
        headers = {"Authorization": f"Bearer {service.key}"}
        httpx2.post(f"{service.url}/api/events/", json={"number": number}, headers=headers).raise_for_status()


def _seen(tail: "subprocess.Popen[str]", events: int) -> list[int]:
    assert tail.stdout
    return [json.loads(tail.stdout.readline())["payload"]["number"] for _ in range(events)]
