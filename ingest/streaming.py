"""Answers that are made piece by piece while they are sent, and tables in them."""

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

    The next one is made when the client has taken the one before. An empty piece is only a chance to end early, for a
    client that has gone.
    """
    try:
        while (piece := await sync_to_async(next)(pieces, None)) is not None:  # type: ignore[call-arg]
            if piece:
                yield piece
    finally:
        await sync_to_async(pieces.close)()


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
