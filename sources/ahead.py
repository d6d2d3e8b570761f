"""Making what comes next while what came is worked on."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connections

SWITCH_SECONDS = 0.0005  # else each answer of the database waits for 5 ms until the other thread makes way

_T = TypeVar("_T")
_END = object()


@contextmanager
def ahead(items: Iterator[_T]) -> Iterator[Iterator[_T]]:
    """The same items, each made in a thread of its own while the one before is in use; never more than one ahead.

    What making them raises is raised where the item would have come. At the end the thread has ended too.
    """
    switched_seconds = sys.getswitchinterval()
    sys.setswitchinterval(min(SWITCH_SECONDS, switched_seconds))
    try:
        with ThreadPoolExecutor(1, "ahead") as thread:
            try:
                yield _taken(items, thread)
            finally:
                thread.submit(connections.close_all)
    finally:
        sys.setswitchinterval(switched_seconds)


def _taken(items: Iterator[_T], thread: ThreadPoolExecutor) -> Iterator[_T]:
    coming = thread.submit(next, items, _END)
    while (item := coming.result()) is not _END:
        coming = thread.submit(next, items, _END)
        yield item  # type: ignore[misc]
