"""Answers that are made piece by piece while they are sent, and tables in them."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Generator, Iterable
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from ingest.formulas import defused

Pieces = Generator[bytes]


async def streamed(pieces: Pieces) -> AsyncIterator[bytes]:
    """For the event loop; each piece is made in the thread of the request, which has the connection.

    One is made while the client takes the one before, and no more. An empty piece is only a chance to end early, for a
    client that has gone.
    """
    upcoming = asyncio.ensure_future(_next(pieces))
    try:
        while (piece := await upcoming) is not None:
            upcoming = asyncio.ensure_future(_next(pieces))
            await asyncio.sleep(0)  # it begins now: while a piece is written nothing else may get its turn
            if piece:
                yield piece
    finally:
        await asyncio.wait([upcoming])
        if not upcoming.cancelled():
            upcoming.exception()  # was raised already, or is nobody's any more
        await sync_to_async(pieces.close)()


async def _next(pieces: Pieces) -> bytes | None:
    return await sync_to_async(next)(pieces, None)  # type: ignore[call-arg]


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
