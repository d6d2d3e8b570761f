"""Answers that are made piece by piece while they are sent, and tables in them."""

import asyncio
import csv
import io
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from ingest.formulas import defused

Pieces = Generator[bytes]
"""Where one is empty, making can rest: nothing is kept open. After any other the next should be asked for at once."""

RUN_SECONDS = 0.5
"""A run ends at the first rest after them: for a server that stops, which lets runs come to their end."""


def download(request: Request, pieces: Pieces, content_type: str, name: str) -> HttpResponseBase:
    """The first piece is made before the answer begins, so that what it fails for can be said."""
    first = next(pieces, b"")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if request.method == "HEAD":
        pieces.close()
        return HttpResponse(content_type=content_type, headers=headers)
    return StreamingHttpResponse(streamed(_following(first, pieces)), content_type=content_type, headers=headers)


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
        await sync_to_async(_end)(pieces)


class _Maker:
    """Makes pieces in a thread, in runs that do not wait for the event loop. `made`: None is the end of a run.

    A run ends at a rest: when a piece was made that is not taken yet, or after RUN_SECONDS.
    """

    def __init__(self, pieces: Pieces, loop: asyncio.AbstractEventLoop) -> None:
        self._pieces = pieces
        self._loop = loop
        self.made = asyncio.Queue[bytes | None]()
        self.taken = 0
        self.is_wanted = True
        self._handed_over = 0

    def start(self) -> "asyncio.Future[bool]":
        """Whether there may be more."""
        return asyncio.ensure_future(sync_to_async(self._run)())

    def _run(self) -> bool:
        until = time.monotonic() + RUN_SECONDS
        try:
            for piece in self._pieces:
                if piece:
                    self._handed_over += 1
                    self._hand_over(piece)
                elif self._handed_over > self.taken or not self.is_wanted or time.monotonic() > until:
                    return True
            return False
        finally:
            self._hand_over(None)

    def _hand_over(self, piece: bytes | None) -> None:
        self._loop.call_soon_threadsafe(self.made.put_nowait, piece)


def _end(pieces: Pieces) -> None:
    """Django looks after the connection of an answer that comes to its end, not of one that fails."""
    pieces.close()
    close_old_connections()


def _following(first: bytes, others: Pieces) -> Pieces:
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
