"""Pieces of an answer: made ahead of the client, but no further than one, and by the thread of the request alone."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from ingest import streaming
from ingest.streaming import Pieces, streamed


class Making:
    """What is made, how far it is, and where."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.asked_for = 0
        self.is_closed = False
        self.threads = set[int]()

    def pieces(self) -> Pieces:
        try:
            for piece in self._pieces:
                self.asked_for += 1
                self.threads.add(threading.get_ident())
                yield piece
        finally:
            self.is_closed = True
            self.threads.add(threading.get_ident())


def with_rests(count: int) -> list[bytes]:
    return [piece for n in range(count) for piece in (b"", str(n).encode())]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def test_all_come_in_order_but_the_empty_ones() -> None:
    making = Making(with_rests(1000))
    assert [piece async for piece in streamed(making.pieces())] == [str(n).encode() for n in range(1000)]
    assert making.is_closed
    assert len(making.threads) == 1
    assert threading.get_ident() not in making.threads


@pytest.mark.parametrize("pieces", [[], [b""], [b""] * 3])
async def test_nothing_is_an_answer_too(pieces: list[bytes]) -> None:
    assert [piece async for piece in streamed(Making(pieces).pieces())] == []


async def test_while_the_client_takes_one_the_next_is_made_and_no_more() -> None:
    making = Making(with_rests(10))
    pieces = streamed(making.pieces())
    for taken in range(1, 10):
        assert await anext(pieces) == str(taken - 1).encode()
        can_rest = 2 * taken + 1
        await until(lambda: making.asked_for >= can_rest)  # noqa: B023
        await asyncio.sleep(0.01)
        assert making.asked_for == can_rest
    await pieces.aclose()


async def test_making_does_not_wait_for_the_event_loop_when_all_was_taken() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def pieces() -> Pieces:
        yield b"first"
        go_on.wait(10)
        yield b""
        begun.set()
        yield b"second"

    answer = streamed(pieces())
    assert await anext(answer) == b"first"
    waiting = asyncio.ensure_future(anext(answer))
    await asyncio.sleep(0)
    go_on.set()
    assert begun.wait(10)  # the event loop stands still
    assert await waiting == b"second"


async def test_a_failure_comes_after_what_was_made_before() -> None:
    def pieces() -> Pieces:
        yield b"first"
        yield b"second"
        raise ZeroDivisionError

    answer = streamed(pieces())
    assert [await anext(answer), await anext(answer)] == [b"first", b"second"]
    with pytest.raises(ZeroDivisionError):
        await anext(answer)


async def test_for_a_client_that_goes_no_more_is_made() -> None:
    making = Making(with_rests(10))
    pieces = streamed(making.pieces())
    await anext(pieces)
    await pieces.aclose()
    assert making.is_closed
    assert making.asked_for <= 3
    assert len(making.threads) == 1


async def test_for_a_client_that_goes_while_nothing_is_found_it_ends_too() -> None:
    def nothing() -> Iterable[bytes]:
        while True:
            time.sleep(0.001)
            yield b""

    making = Making(nothing())
    waiting = asyncio.ensure_future(anext(streamed(making.pieces())))
    await until(lambda: making.asked_for > 3)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert making.is_closed


async def test_while_nothing_is_found_the_event_loop_has_its_turn_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops waits for what its threads have begun, and begins nothing more."""
    monkeypatch.setattr(streaming, "RUN_SECONDS", 0.01)
    starts = list[float]()
    start = streaming._Maker.start

    def counted(maker: streaming._Maker) -> "asyncio.Future[bool]":
        starts.append(time.monotonic())
        return start(maker)

    monkeypatch.setattr(streaming._Maker, "start", counted)

    def pieces() -> Pieces:
        for _ in range(100):
            time.sleep(0.001)
            yield b""
        yield b"found"

    assert [piece async for piece in streamed(pieces())] == [b"found"]
    assert len(starts) > 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails", [True, False])
async def test_no_connection_stays_behind(fails: bool, settings: Any) -> None:
    def pieces() -> Pieces:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield b"first"
        if fails:
            raise ZeroDivisionError

    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
    with suppress(ZeroDivisionError):
        assert [piece async for piece in streamed(pieces())] == [b"first"]
    assert await sync_to_async(lambda: connection.connection)() is None
