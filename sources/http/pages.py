"""The pages that a source's URL gives, one after the other."""

from collections.abc import Mapping
from hashlib import blake2b
from types import TracebackType
from typing import Any, BinaryIO, Self

from sources.address import Guard
from sources.bodies import Body
from sources.definition import Http, RunLimits
from sources.errors import LimitExceeded, SourceError
from sources.http.budget import Budget
from sources.http.cursors import Window, cursor_value, window_values
from sources.http.exchange import Answer, Call, OnRequest
from sources.http.fetcher import Fetcher, Surroundings, first_call
from sources.http.pagination import make_pager
from sources.http.retry import MOST_WAIT_SECONDS
from sources.http.urls import shown

MOST_TIMES = 3

VALIDATORS = ("etag", "last_modified", "validated_request")


class Pages:
    """Closes each page when the next one is asked for, and connections at the end: use it in `with`."""

    def __init__(
        self,
        spec: Http,
        *,
        limits: RunLimits,
        secrets: Mapping[str, str],
        state: Mapping[str, Any],
        guard: Guard,
        deadline: float,
        on_request: OnRequest,
        source: str,
        window: Window | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """`deadline`: on time.monotonic. `source`: whose rate limit counts. `state` is not changed.

        Raises BadDefinition.
        """
        around = surroundings or Surroundings()
        self.budget = Budget(deadline, limits.bytes, around.clock, around.ended)
        self._most_pages = limits.pages
        self._pager = make_pager(spec.pagination)
        self._first = self._pager.first(incremental_call(spec, state, window))
        self._conditional = spec.conditional and window is None
        self._validators = {name: state.get(name) for name in VALIDATORS}
        self._first_request = _digest(self._first)
        self._last: tuple[Call, Answer] | None = None
        self._content, self._times = b"", 0
        self._seen: set[bytes] = set()
        self._pages = 0
        self._fetcher = Fetcher(
            spec,
            budget=self.budget,
            secrets=secrets,
            guard=guard,
            on_request=on_request,
            source=source,
            surroundings=around,
        )

    def next(self, rows_of_last_page: int = 0) -> Body | None:
        """The next page, at its start; None after the last. Raises what Fetcher.fetch raises, and LimitExceeded.

        NotModified comes only at the first page. SourceError pagination_loop: the same request came twice, or the
        same page MOST_TIMES when asked for the next number (rows may be alike, so twice is no proof).
        """
        call = self._first if self._last is None else self._following(*self._last, rows_of_last_page)
        if call is None:
            return None
        self._refuse_repeated(call)
        answer = self._fetch(call)
        if answer is None:
            return None
        self._last = call, answer
        self._note(answer)
        return answer.body

    def _following(self, call: Call, answer: Answer, rows: int) -> Call | None:
        with answer.body.file:
            following = self._pager.following(call, answer, rows)
        if following is not None:
            self._fetcher.refuse_downgrade(answer.url, following.url)
        return following

    def _fetch(self, call: Call) -> Answer | None:
        if self._pages == self._most_pages:
            raise LimitExceeded(
                f"There are more than {self._most_pages} pages: raise limits.pages, or let the source ask for less.",
                "too_many_pages",
            )
        self.budget.seconds_left()
        try:
            answer = self._fetcher.fetch(call if self._pages else self._conditioned(call))
        except SourceError as error:
            if self._pages and self._pager.is_past_end(error.code):
                self._pages += 1
                return None
            raise
        self._pages += 1
        self._fetcher.patience_seconds = MOST_WAIT_SECONDS
        return answer

    def _conditioned(self, call: Call) -> Call:
        """The first page, if it is not the one that we have."""
        known = self._validators
        if not self._conditional or known["validated_request"] != self._first_request.hex():
            return call
        headers = {"If-None-Match": known["etag"], "If-Modified-Since": known["last_modified"]}
        return call.with_headers({name: str(value) for name, value in headers.items() if value})

    def _note(self, answer: Answer) -> None:
        if self._pages == 1 and self._conditional:
            etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
            self._validators = dict(zip(VALIDATORS, (etag, modified, self._first_request.hex()), strict=True))
        if not self._pager.numbered:
            return
        content = _content_digest(answer.body.file)
        self._times = self._times + 1 if content == self._content else 1
        if self._times == MOST_TIMES:
            raise _loop(
                f"{shown(answer.url)} answers the same page again and again when asked for the next one: its parameter"
                " has another name, or there is only this page."
            )
        self._content = content

    def _refuse_repeated(self, call: Call) -> None:
        digest = _digest(call)
        if digest in self._seen:
            raise _loop(f"{shown(call.url)} leads to a page that was read already.")
        self._seen.add(digest)

    def state(self) -> dict[str, str | None]:
        """What the next run needs for asking only for changes, once this one is committed; None: to be forgotten.

        A validator stands for one answer, so there is none after several pages. A window leaves all as it is.
        """
        if self._pages > 1 and self._conditional:
            return dict.fromkeys(VALIDATORS)
        return dict(self._validators)

    def close(self) -> None:
        if self._last is not None:
            self._last[1].body.file.close()
        self._fetcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def incremental_call(spec: Http, state: Mapping[str, Any], window: Window | None) -> Call:
    """A window takes the place of what the cursor says. Raises BadDefinition."""
    call = first_call(spec)
    for name, value in _cursor_parameters(spec, dict(state), window).items():
        call = call.with_parameter(name, value)
    return call


def _cursor_parameters(spec: Http, state: dict[str, Any], window: Window | None) -> dict[str, str]:
    if window is not None:
        return window_values(spec, state, window)
    value = cursor_value(spec, state)
    return {} if spec.cursor is None or value is None else {spec.cursor.parameter: value}


def _digest(call: Call) -> bytes:
    text = b"\0".join((call.method.encode(), str(call.url).encode(), call.content() or b""))
    return blake2b(text, digest_size=16).digest()


def _content_digest(file: BinaryIO) -> bytes:
    digest = blake2b(digest_size=16)
    while piece := file.read(1 << 18):
        digest.update(piece)
    file.seek(0)
    return digest.digest()


def _loop(message: str) -> SourceError:
    return SourceError(f"{message} Reading stopped: check pagination.", "pagination_loop")
