"""Make an API key from the command line."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from access import audit
from access.keys import create_key, described
from access.models import Scope


class Command(BaseCommand):
    help = "Makes an API key and prints it; it cannot be had again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="Who or what uses it.")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            help="What it may do; repeatable. Default: ingest and read.",
        )
        parser.add_argument(
            "--stream",
            action="append",
            default=[],
            help="A stream it is for; repeatable. No stream and no source: all.",
        )
        parser.add_argument(
            "--source", action="append", default=[], help="A source it is for, with its records; repeatable."
        )
        parser.add_argument("--events-per-second", type=int, help="Its quota.")
        parser.add_argument("--expires", metavar="YYYY-MM-DD", help="Day on which it ends, at midnight UTC.")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        key, token = create_key(
            options["name"],
            options["scope"] or (Scope.INGEST, Scope.READ),
            streams=options["stream"],
            sources=options["source"],
            events_per_second=options["events_per_second"],
            expires_at=_day(options["expires"]),
        )
        audit.record(None, "key.create", "key", key.pk, key.name, described(key))
        self.stdout.write(token)


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.get_default_timezone())
    except ValueError:
        raise CommandError(f"--expires {text!r} is not a day such as 2027-01-31.") from None
