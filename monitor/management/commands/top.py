"""`manage.py top`: how a service does, refreshed once a second."""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.live import Live

from monitor.client import ClientError, Feed, State, Stats, Subscription
from monitor.terminal import server
from monitor.terminal.dashboard import dashboard
from monitor.terminal.figures import Figures
from monitor.terminal.screen import console, forget_output
from monitor.terminal.text import printable, printable_json

ONCE_SECONDS = 15.0


class Command(BaseCommand):
    help = "Shows what any Data Handler receives and stores, by stream and type, until Ctrl-C. See docs/terminal.md."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        server.add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="Print the figures of a moment and end.")
        parser.add_argument("--json", action="store_true", help="`stats` frames as in docs/live-feed.md, one a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        out = console(sys.stdout, options["no_color"])
        if not (options["once"] or options["json"] or out.is_terminal):
            raise CommandError("Standard output is no terminal: say --once or --json.")
        try:
            with suppress(KeyboardInterrupt):
                asyncio.run(_run(out, options["url"], server.key_of(options), options["once"], options["json"]))
        except ClientError as error:
            raise CommandError(printable(str(error))) from error
        except BrokenPipeError:
            forget_output()


async def _run(out: Console, url: str, key: str, once: bool, json: bool) -> None:
    if once:
        await _print_once(out, Top(url, key), json)
    elif json:
        async for stats in Top(url, key).reports():
            _print_json(stats)
    else:
        await _show(out, url, key)


async def _print_once(out: Console, top: "Top", json: bool) -> None:
    try:
        async with asyncio.timeout(ONCE_SECONDS), aclosing(top.reports()) as reports:
            stats = await anext(reports)
    except TimeoutError as error:
        state = printable(str(top.feed.state))
        raise CommandError(f"No figures came within {ONCE_SECONDS:.0f} s: {state}.") from error
    if json:
        _print_json(stats)
    else:
        out.print(dashboard(top.figures, top.url))


class Top:
    """Figures of a server, kept up to date."""

    def __init__(self, url: str, key: str, on_state: Callable[[State], None] = lambda state: None) -> None:
        self.url = url
        self.figures = Figures()
        self.feed = Feed(url, key, Subscription(mode="stats"), on_state=on_state)

    async def reports(self) -> AsyncGenerator[Stats, None]:
        """Each is in `figures` when it comes. Raises monitor.client.ClientError."""
        async with aclosing(self.feed.frames()) as frames:
            async for frame in frames:
                if isinstance(frame, Stats):
                    self.figures.take(frame)
                    yield frame


async def _show(out: Console, url: str, key: str) -> None:
    with Live(console=out, screen=True, auto_refresh=False) as live:

        def draw(*_: object) -> None:
            live.update(dashboard(top.figures, url, top.feed.state), refresh=True)

        top = Top(url, key, draw)
        async for _ in top.reports():
            draw()


def _print_json(stats: Stats) -> None:
    sys.stdout.write(printable_json(msgspec.json.encode(stats).decode()) + "\n")
    sys.stdout.flush()
