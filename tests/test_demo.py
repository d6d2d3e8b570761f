"""The client that is run from outside."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import demo

ROOT = Path(__file__).parent.parent
KEY = f"dh_{'0' * 12}_{'0' * 32}"


def options(**changes: object) -> demo.Options:
    given = {"url": "http://x", "key": KEY, "stream": "s", "events": 3, "batch_events": 7, "batch": 5, "rate": 0.0}
    return demo.Options(**{**given, **changes})  # type: ignore[arg-type]


def finished(**seen: int) -> demo.Run:
    """A run in which everything went well, but for what is said."""
    run = demo.Run(options())
    run.phases[0].acknowledged = 3
    run.phases[1].acknowledged = seen.get("acknowledged", 10) - 3
    run.feed.matched = seen.get("broadcast", 10)
    run.feed.reconnects = seen.get("reconnects", 0)
    run.feed.gaps = seen.get("gaps", 0)
    run.storage.stored = seen.get("stored", 10)
    run.storage.dead = seen.get("dead", 0)
    run.service.resent = seen.get("resent", 0)
    asyncio.run(run.service.close())
    return run


def execute(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "demo.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    "seen",
    [
        {},
        {"broadcast": 4, "gaps": 1},
        {"reconnects": 1},
        {"broadcast": 15, "resent": 5},
        {"broadcast": 10, "resent": 5},
    ],
)
def test_a_run_is_fine_when_all_was_stored_and_seen_or_is_accounted_for(seen: dict[str, int]) -> None:
    assert demo.verdict(finished(**seen)) == []


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ({"acknowledged": 9, "broadcast": 9, "stored": 9}, "1 events were not acknowledged"),
        ({"stored": 8}, "2 events are not stored"),
        ({"stored": 12}, "2 events too many are stored"),
        ({"dead": 1, "stored": 9}, "1 events are dead letters"),
        ({"broadcast": 7, "reconnects": 1}, "3 events were not broadcast"),
        ({"broadcast": 11}, "1 events too many were broadcast"),
        ({"broadcast": 16, "resent": 5}, "1 events too many were broadcast"),
    ],
)
def test_whatever_is_off_is_named(seen: dict[str, int], fault: str) -> None:
    assert any(text.startswith(fault) for text in demo.verdict(finished(**seen)))


def test_gaps_and_lost_connections_are_noted() -> None:
    assert demo.notes(finished(broadcast=4, reconnects=2, gaps=1)) == [
        "The live feed was connected again 2 times.",
        "The live feed has 1 gaps; 6 broadcasts were not seen.",
    ]


def test_a_feed_that_cannot_be_opened_says_why() -> None:
    run = finished()
    run.feed = demo.Broadcasts(options(url="http://127.0.0.1:9"), run.phases, [])
    with pytest.raises(demo.Stopped, match=r"cannot be opened: Connection refused\. See the log"):
        asyncio.run(run.feed.listen())


def test_every_event_is_sent_in_one_piece_of_one_phase() -> None:
    run = finished()
    pieces = [list(piece) for phase in run.phases for piece in phase.pieces()]
    assert pieces == [[0], [1], [2], [3, 4, 5, 6, 7], [8, 9]]


def test_without_a_service_it_says_how_to_start_one() -> None:
    ended = execute("--url", "http://127.0.0.1:9", "--key", KEY)
    assert ended.returncode == 1
    assert "Start it with 'make run'" in " ".join(ended.stdout.split())


def test_without_a_key_it_says_where_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_HANDLER_KEY", raising=False)
    monkeypatch.setattr(demo, "KEY_FILE", tmp_path / "ingest_key")
    with pytest.raises(SystemExit) as ended:
        demo.parse([])
    assert ended.value.code == 2


def test_nothing_to_send_is_an_error() -> None:
    ended = execute("--key", KEY, "--events", "0", "--batch-events", "0")
    assert ended.returncode == 2
    assert "nothing to send" in ended.stderr


@pytest.mark.stack
def test_against_the_whole_service_all_that_was_sent_is_broadcast_and_stored(tmp_path: Path) -> None:
    """`manage.py up` with services of its own, and the client beside it."""
    command = [sys.executable, "manage.py", "up", "--then", sys.executable, "demo.py"]
    arguments = ["--events", "200", "--batch-events", "5000"]
    environment = {**_clean_environment(), "DATA_DIR": str(tmp_path / "data")}
    ended = subprocess.run(
        [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "sent = acknowledged = broadcast = stored" in ended.stdout
    assert re.search(r"broadcast each on its own\s+│\s+200 ", ended.stdout)


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DATA_", "REDIS_", "BUFFER_"))}
