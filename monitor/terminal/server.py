"""Which server a command watches, with which key."""

import os
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from monitor.client.address import feed_address, is_local

DEFAULT_URL = "http://localhost:8000"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        default=os.environ.get("DATA_HANDLER_URL") or DEFAULT_URL,
        help=f"Address of the server (default: DATA_HANDLER_URL, else {DEFAULT_URL}).",
    )
    parser.add_argument(
        "--key",
        default="",
        help="API key with the scope read (default: DATA_HANDLER_KEY, else, for a server on this machine, the key that"
        " `manage.py up` made).",
    )


def key_of(options: dict[str, Any]) -> str:
    """Raises BadArgument for a bad address, CommandError when there is no key."""
    if key := options["key"] or os.environ.get("DATA_HANDLER_KEY"):
        return str(key).strip()
    if is_local(feed_address(options["url"])):  # the key of this machine is nobody else's business
        with suppress(OSError):
            return (Path(settings.DATA_DIR) / "ingest_key").read_text(encoding="utf-8").strip()
    raise CommandError("No API key: say --key or set DATA_HANDLER_KEY. `manage.py create_key` makes one.")
