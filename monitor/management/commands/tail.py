"""`manage.py tail`: the live feed in a terminal or a pipe."""

import asyncio
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitor.client import BadArgument, ClientError, Feed, Position, Subscription
from monitor.terminal import server
from monitor.terminal.lines import HumanLines, JsonLines
from monitor.terminal.screen import Screen, forget_output
from monitor.terminal.tail import Tail
from monitor.terminal.text import printable


class Command(BaseCommand):
    help = "Shows events of any Data Handler as they are accepted, until Ctrl-C. See docs/terminal.md."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        server.add_arguments(parser)
        parser.add_argument("--stream", help="Only this stream (default: all that the key may read).")
        parser.add_argument("--type", metavar="GLOB", help="Only these types; * and ? stand for characters.")
        parser.add_argument("--filter", metavar="WORDS", help='What payloads must look like: "pump payload.site=oslo".')
        parser.add_argument("--max-rate", type=int, metavar="N", help="Show at most N events a second, count the rest.")
        parser.add_argument("--since", type=_position, metavar="EPOCH:SEQ", help="Go on after this position.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line, also for what is not shown.")
        parser.add_argument("--limit", type=_positive, metavar="N", help="End after N events.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {name: options[name] for name in ("stream", "type", "filter", "max_rate", "since")}
        with Screen(no_color=options["no_color"]) as screen:
            tail = Tail(screen, JsonLines() if options["json"] else HumanLines(), options["limit"])
            try:
                feed = Feed(options["url"], server.key_of(options), Subscription(**wanted), on_state=tail.on_state)
                with suppress(KeyboardInterrupt):
                    asyncio.run(tail.follow(feed))
            except ClientError as error:
                raise CommandError(printable(str(error))) from error
            except BrokenPipeError:
                forget_output()
                return
        screen.note(tail.summary())


def _position(text: str) -> Position:
    try:
        return Position.parse(text)
    except BadArgument as error:
        raise ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 1.")
    return int(text)
