"""Lines on standard output, and below them how things stand, on standard error or where both are one terminal."""

import os
import stat
import sys
from collections.abc import Sequence
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from monitor.terminal.text import cut


class Screen:
    """A status line stands only where it disturbs nothing: not beside a pipe, whose reader may use the terminal."""

    def __init__(self, *, no_color: bool = False) -> None:
        self._out, self._err = console(sys.stdout, no_color), console(sys.stderr, no_color)
        below = self._out if self._out.is_terminal else self._err
        # Not redirected: the lines that we write go through the console that knows of the status line.
        self._live = Live(
            console=below, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self.has_status = self._err.is_terminal and not _is_pipe(sys.stdout)

    @property
    def width(self) -> int | None:
        """None where lines may be of any length."""
        return self._out.width if self._out.is_terminal else None

    def __enter__(self) -> Self:
        if self.has_status:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def write(self, lines: Sequence[Text]) -> None:
        """Raises BrokenPipeError when nobody reads any more."""
        if self._out.is_terminal:
            self._out.print(Text("\n").join(lines), soft_wrap=True)
        else:
            sys.stdout.write("".join(f"{line.plain}\n" for line in lines))
            sys.stdout.flush()

    def status(self, text: str) -> None:
        if self.has_status:
            self._live.update(Text(cut(text, self._live.console.width), "reverse"), refresh=True)

    def note(self, text: str) -> None:
        """A line for whoever runs the command; not part of the output."""
        self._err.print(text, soft_wrap=True)


def console(stream: TextIO, no_color: bool) -> Console:
    """Takes text as it is: nothing in it is markup. Only a terminal is one, whatever the environment says."""
    return Console(
        file=stream,
        force_terminal=stream.isatty(),
        no_color=no_color or None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _is_pipe(stream: TextIO) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def forget_output() -> None:
    """After a broken pipe: what is still buffered must not break it again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
