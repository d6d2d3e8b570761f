"""Asking the service over one connection that is kept open."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from bench.load import HOST, LoadFailed

LONGEST_SECONDS = 300.0
PIECE_BYTES = 1 << 16


class Asker:
    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=LONGEST_SECONDS)
        self._headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str, **query: Any) -> bytes:
        """The body. Raises LoadFailed for any answer but 200."""
        return b"".join(self.pieces(path, **query))

    def pieces(self, path: str, **query: Any) -> Iterator[bytes]:
        address = f"{path}?{urlencode(query, doseq=True)}" if query else path
        self._connection.request("GET", address, headers=self._headers)
        answer = self._connection.getresponse()
        if answer.status != 200:
            raise LoadFailed(f"{address} was answered with {answer.status}: {answer.read()[:500].decode()}")
        while piece := answer.read(PIECE_BYTES):
            yield piece

    def seconds(self, path: str, **query: Any) -> float:
        """From the request to the last byte."""
        began = time.perf_counter()
        self.get(path, **query)
        return time.perf_counter() - began

    def close(self) -> None:
        self._connection.close()


@contextmanager
def asking(port: int, key: str) -> Iterator[Asker]:
    asker = Asker(port, key)
    try:
        yield asker
    finally:
        asker.close()
