"""Answers that are made piece by piece while they are sent, and tables in them."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Generator, Iterable
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from ingest.formulas import defused

Pieces = Generator[bytes]
"""Where one is empty, making can rest: nothing is kept open. After any other the next is to be asked for at once."""


async def streamed(pieces: Pieces) -> AsyncGenerator[bytes]:
    """For the event loop; they are made in the thread of the request, which has the connection.

    One is made while the client takes the one before, and no more.
    """
    maker = _Maker(pieces, asyncio.get_running_loop())
    making = maker.start()
    try:
        while True:
            if piece := await maker.made.get():
                yield piece
                maker.taken += 1
            elif await making:
                making = maker.start()
            else:
                return
    finally:
        maker.is_wanted = False
        await asyncio.wait([making])
        if not making.cancelled():
            making.exception()  # was raised already, or is nobody's any more
        await sync_to_async(pieces.close)()


class _Maker:
    """Makes pieces in a thread, without waiting for the event loop, as long as those that are made are taken."""

    def __init__(self, pieces: Pieces, loop: asyncio.AbstractEventLoop) -> None:
        self._pieces = pieces
        self._loop = loop
        self.made = asyncio.Queue[bytes]()
        self.taken = 0
        self.is_wanted = True
        self._handed_over = 0

    def start(self) -> "asyncio.Future[bool]":
        """Whether there may be more. When it ends, an empty piece comes after those that were made."""
        return asyncio.ensure_future(sync_to_async(self._make)())

    def _make(self) -> bool:
        try:
            for piece in self._pieces:
                if piece:
                    self._handed_over += 1
                    self._hand_over(piece)
                elif self._handed_over > self.taken or not self.is_wanted:
                    return True
            return False
        finally:
            self._hand_over(b"")

    def _hand_over(self, piece: bytes) -> None:
        self._loop.call_soon_threadsafe(self.made.put_nowait, piece)


def following(first: bytes, others: Pieces) -> Pieces:
    yield first
    yield from others


def csv_lines(lines: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def csv_cell(raw: bytes) -> str:
    """Of a value as JSON: lists and objects stay JSON, null is empty, numbers keep all their digits."""
    text = msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else "" if raw == b"null" else raw.decode()
    return defused(text)


class OwnFormat(DefaultContentNegotiation):
    """`?format=` is the view's own; errors are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
