"""`manage.py up`: the whole service in one terminal."""

import argparse
import asyncio
import json
import os
import socket
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from data_handler.console import Console
from data_handler.embedded import SERVICES
from data_handler.embedded.errors import EmbeddedError
from data_handler.embedded.home import Home
from data_handler.embedded.run_file import RunFile, claim
from data_handler.processes import SERVERS, Processes, reachable
from data_handler.supervisor import Supervisor

DEFAULT_PORT = 8000
PORTS_TO_TRY = 100

Access = dict[str, str | None]  # what `first_access` writes: admin_name, admin_password, ingest_key


class Command(BaseCommand):
    help = "Start everything, keep it running, stop it at Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: %(default)s).")
        parser.add_argument(
            "--port", type=int, help=f"Port to listen on (default: the first free one from {DEFAULT_PORT})."
        )
        parser.add_argument("--server", choices=SERVERS, default=SERVERS[0], help="Default: %(default)s.")
        parser.add_argument(
            "--then",
            nargs=argparse.REMAINDER,
            default=[],
            metavar="COMMAND",
            help="Once all is ready run this command, with DATA_HANDLER_URL and DATA_HANDLER_KEY in its"
            " environment, then stop everything and exit with its status.",
        )

    def handle(self, *args: Any, host: str, port: int | None, server: str, then: list[str], **options: Any) -> None:
        home = Home.at(Path(settings.DATA_DIR))
        console = Console(sys.stdout)
        try:
            if not settings.EMBEDDED:
                check_services()
            with claim(home) as run_file:
                run = Run(
                    home=home,
                    console=console,
                    run_file=run_file,
                    server=server,
                    host=host,
                    port=choose_port(host, port, console),
                    then=then,
                )
                status = asyncio.run(Supervisor(console, run_file).run(run.plan))
        except EmbeddedError as error:
            raise CommandError(str(error)) from error
        sys.exit(status)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of `up`, from the first process to the last."""

    home: Home
    console: Console
    run_file: RunFile
    server: str
    host: str
    port: int
    then: list[str]

    @property
    def url(self) -> str:
        host = reachable(self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def plan(self, supervisor: Supervisor) -> int:
        """While the command of `--then` has the terminal, the processes write warnings at most."""
        self.run_file.set_url(self.url)
        env = {"LOG_LEVEL": "WARNING", **os.environ} if self.then else None
        processes = Processes(settings.BASE_DIR, self.home.data_dir, env)
        if settings.EMBEDDED:
            await supervisor.start(*[await asyncio.to_thread(prepare, self.home) for prepare in SERVICES.values()])
        await supervisor.step(processes.migrate())
        access: Access = json.loads(await supervisor.step(processes.first_access()))
        await supervisor.start(*processes.application(self.server, self.host, self.port))
        self.console.say(self._summary(access))
        if self.then:
            return await supervisor.foreground(self.then, self._client_env(access))
        return await supervisor.forever()

    def _summary(self, access: Access) -> str:
        password = access["admin_password"] or "as you set it"
        lines = [
            f"Data Handler runs at {self.url}",
            f"Log in as            {access['admin_name']}, password {password}",
            f"Key for sending      {access['ingest_key']}",
            f"Data                 {self.home.data_dir if settings.EMBEDDED else 'in your own services'}",
        ]
        if not settings.STATICFILES_DIRS:
            lines.append("The web pages lack their style sheet and charts: run make assets, then start again.")
        if not self.then:
            lines.append("Ctrl-C stops it.")
        return "\n".join(("", *(f"  {line}" for line in lines), ""))

    def _client_env(self, access: Access) -> dict[str, str]:
        return {**os.environ, "DATA_HANDLER_URL": self.url, "DATA_HANDLER_KEY": str(access["ingest_key"])}


def choose_port(host: str, port: int | None, console: Console) -> int:
    """The port that was asked for, or the first free one from 8000. Raises CommandError."""
    if port is not None:
        if not is_free(host, port):
            raise CommandError(f"Port {port} on {host} is taken or not allowed: choose another with --port.")
        return port
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY):
        if is_free(host, candidate):
            if candidate != DEFAULT_PORT:
                console.say(f"Port {DEFAULT_PORT} is taken, using {candidate}.")
            return candidate
    raise CommandError(f"No port from {DEFAULT_PORT} to {candidate} can be used on {host}: is --host right?")


def is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError):
        return False
    return True


def check_services() -> None:
    """Raises CommandError, naming the variable, for the first service that does not answer."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(f"DATABASE_URL: PostgreSQL does not answer. {error}") from error
    finally:
        connection.close()
    for variable in ("REDIS_URL", "BUFFER_REDIS_URL"):
        client = redis.Redis.from_url(
            getattr(settings, variable), socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
        )
        try:
            client.ping()
        except redis.RedisError as error:
            raise CommandError(f"{variable}: Redis does not answer. {error}") from error
        finally:
            client.close()
