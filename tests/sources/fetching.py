"""Reading the provider's pages with time and chance in hand."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson

from sources.address import Guard
from sources.bodies import Body
from sources.definition import Extract, Http, RunLimits
from sources.http.cursors import Window
from sources.http.exchange import OnRequest
from sources.http.fetcher import Surroundings
from sources.http.pages import Pages
from sources.http.rates import Limit

NOW = 1_800_000_000.0
LOCAL = Guard(["127.0.0.1"])


def http(url: str, **members: Any) -> Http:
    spec: Extract = msgspec.convert({"kind": "http", "url": url, **members}, Extract)
    assert isinstance(spec, Http)
    return spec


@dataclass
class Reading:
    """What a run did: how long it slept, and what it said of its requests."""

    sleeps: list[float] = field(default_factory=list)
    told: list[tuple[str, int, int]] = field(default_factory=list)

    def surroundings(self, **others: Any) -> Surroundings:
        def unlimited(limits: Sequence[Limit], most_seconds: float) -> float:
            return 0.0

        given = {"sleep": self.sleeps.append, "now": lambda: NOW, "jitter": lambda: 1.0, "take": unlimited}
        return Surroundings(**{**given, **others})

    def pages(
        self,
        url: str,
        *,
        secrets: Mapping[str, str] | None = None,
        state: Mapping[str, Any] | None = None,
        guard: Guard = LOCAL,
        limits: Mapping[str, Any] | None = None,
        seconds: float = 20.0,
        window: Window | None = None,
        around: Mapping[str, Any] | None = None,
        on_request: OnRequest | None = None,
        **members: Any,
    ) -> Pages:
        return Pages(
            http(url, **members),
            limits=msgspec.convert(limits or {}, RunLimits),
            secrets=secrets or {},
            state=state or {},
            guard=guard,
            deadline=time.monotonic() + seconds,
            on_request=on_request or (lambda url, status, size, took: self.told.append((url, status, size))),
            source="test",
            window=window,
            surroundings=self.surroundings(**(around or {})),
        )

    def first(self, url: str, **options: Any) -> bytes:
        """The first page's bytes."""
        with self.pages(url, **options) as pages:
            body = pages.next()
            assert body is not None
            return body.file.read()

    def rows(self, url: str, **options: Any) -> list[Any]:
        """All rows: of pages that are lists, or objects with a list `rows`."""
        found: list[Any] = []
        with self.pages(url, **options) as pages:
            body = pages.next()
            while body is not None:
                rows = rows_of(body)
                found += rows
                body = pages.next(len(rows))
        return found


def rows_of(body: Body) -> list[Any]:
    value = orjson.loads(body.file.read())
    return list(value["rows"] if isinstance(value, dict) else value)
