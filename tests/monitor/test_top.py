"""`manage.py top`, and the figures behind it."""

import json
import sys
from typing import Any

import msgspec
from rich.console import Console

from monitor.client.frames import Stats, decode
from monitor.terminal.dashboard import dashboard
from monitor.terminal.figures import Figures, sparkline
from tests.monitor.stage import Stage, error, playing
from tests.monitor.test_tail import ended, start

URL = "http://localhost:8000"


def stats(events: int = 100, waiting: int | None = 7, **changes: Any) -> dict[str, Any]:
    rate = {"per_second": float(events), "n": events}
    known: dict[str, Any] = {
        "buffered": {"events": waiting, "bytes": 2048, "oldest_age_seconds": 0.4},
        "stored": 90,
        "duplicates": 2,
        "dead": 1,
        "lag_ms": {"p50": 412.0, "p99": 980.4},
    }
    return {
        "op": "stats",
        "id": "feed",
        "at": 1000.0,
        "interval_seconds": 1.0,
        "received": {"total": 120334, **rate},
        "by_stream": [{"stream": "sensors", **rate}] if events else [],
        "by_type": [{"type": None, **rate}] if events else [],
        **(dict.fromkeys(known) if waiting is None else known),
        **changes,
    }


def after(*frames: dict[str, Any]) -> Figures:
    figures = Figures()
    for frame in frames:
        report = decode(json.dumps(frame))
        assert isinstance(report, Stats)
        figures.take(report)
    return figures


def shown(figures: Figures, width: int = 120) -> str:
    console = Console(width=width, file=sys.stderr, record=True, quiet=False)
    with console.capture() as capture:
        console.print(dashboard(figures, URL))
    return capture.get()


def test_totals_streams_and_types_are_shown() -> None:
    text = shown(after(stats(50), stats(100)))
    lines = [line.split() for line in text.splitlines()]
    assert ["received", "120,334", "100.0/s", "▅█"] in [line[:4] for line in lines]
    assert ["buffered", "7", "2.0", "KiB,", "oldest", "0.4", "s"] in lines
    assert ["dead", "letters", "1"] in lines
    assert ["lag", "p99", "980", "ms"] in lines
    assert ["sensors", "100.0", "▅█", "–", "100.0", "▅█"] in lines


def test_a_narrow_terminal_shows_the_same_below_each_other() -> None:
    lines = [line.split() for line in shown(after(stats(50), stats(100)), width=60).splitlines()]
    assert ["sensors", "100.0", "▅█"] in lines
    assert ["–", "100.0", "▅█"] in lines


def test_a_stream_that_is_quiet_now_keeps_its_line_until_its_history_is_empty() -> None:
    figures = after(stats(100), *[stats(0)] * 29)
    assert figures.streams["sensors"] == [100.0] + [0.0] * 29
    assert "sensors" in shown(figures)
    figures.take(msgspec.convert(stats(0), Stats))
    assert "sensors" not in shown(figures)


def test_a_buffer_that_grows_is_said() -> None:
    (warning,) = after(*[stats(waiting=number * 100) for number in range(10)]).warnings()
    assert warning.startswith("The buffer grows: 0 events waited to be stored, now 900.")


def test_a_buffer_that_is_emptied_at_every_flush_is_not() -> None:
    assert not list(after(*[stats(waiting=number % 4 * 100) for number in range(10)]).warnings())


def test_events_that_wait_long_are_said() -> None:
    old = {"events": 3, "bytes": 100, "oldest_age_seconds": 42.0}
    assert list(after(stats(buffered=old)).warnings()) == [
        "The oldest buffered event waits for 42 s: see /health/ready. Do the database, the broker,"
        " beat and the flush workers run?"
    ]


def test_a_database_that_is_away_is_said_and_a_key_for_some_streams_is_not_mistaken_for_one() -> None:
    unknown = {"total": None, "per_second": 1.0, "n": 1}
    (away,) = after(stats(), stats(waiting=None)).warnings()
    (narrow,) = after(stats(waiting=None, received=unknown)).warnings()
    assert away == "The database or the buffer does not answer: totals are not known. See /health/ready."
    assert narrow.startswith("No totals: this key is for some streams only, or")


def test_a_sparkline_is_as_high_as_its_share_of_the_peak() -> None:
    assert sparkline([0, 1, 50, 99, 100], 100) == " ▁▅██"


def test_names_cannot_steer_the_terminal() -> None:
    line = {"stream": "a\x1b[2J[bold]b", "per_second": 1.0, "n": 1}
    assert r"a\u001b[2J[bold]b" in shown(after(stats(by_stream=[line])))


async def told(*arguments: str) -> tuple[int | None, list[str], str]:
    async def scene(stage: Stage) -> None:
        assert (await stage.admit())["mode"] == "stats"
        await stage.say(stats())
        await stage.socket.wait_closed()

    async with playing(scene) as url:
        return await ended(await start(url, *arguments, command="top"))


async def test_once_prints_the_figures_of_a_moment() -> None:
    status, lines, said = await told("--once")
    assert (status, said) == (0, "")
    assert any(line.split()[:2] == ["received", "120,334"] for line in lines)


async def test_once_as_json_is_the_frame() -> None:
    status, lines, _ = await told("--once", "--json")
    assert (status, [json.loads(line) for line in lines]) == (0, [stats()])


async def test_without_a_terminal_it_says_what_to_use() -> None:
    status, _, said = await told()
    assert status == 1
    assert "--once or --json" in said


async def test_a_refusal_ends_with_1_and_what_to_do() -> None:
    async def scene(stage: Stage) -> None:
        await stage.say(error("permission_denied"))
        await stage.socket.close(4403)

    async with playing(scene) as url:
        status, _, said = await ended(await start(url, "--once", command="top"))
    assert status == 1
    assert "Use a key with the scope 'read'" in said
