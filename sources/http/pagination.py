"""Which request follows an answer."""

import re
from typing import Protocol

import httpx2

from sources.definition import (
    CursorPagination,
    LinkHeaderPagination,
    NextUrlPagination,
    NoPagination,
    OffsetPagination,
    PagePagination,
    Pagination,
)
from sources.errors import SourceError
from sources.http.exchange import Answer, Call
from sources.http.urls import BadUrl, checked_url, shown
from sources.http.values import value_at

DEFAULT_SIZE = 100
_NO_SUCH_PAGE = frozenset({"http_400", "http_416", "http_422"})

_LINK = re.compile(r"""<([^>]*)>((?:\s*;\s*[^\s,;="]+\s*(?:=\s*(?:"[^"]*"|[^\s,;"]*))?)*)""")
_REL = re.compile(r""";\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;"]+))""", re.IGNORECASE)


class Pager(Protocol):
    """The parameter or link that leads on. One for each run."""

    numbered: bool
    """Pages are asked for by number, so that a service which ignores it answers the same for ever."""

    def first(self, call: Call) -> Call:
        """The call for the first page."""

    def following(self, call: Call, answer: Answer, rows: int) -> Call | None:
        """The call after `call`, which got `answer` with so many rows. None: that was the last page."""

    def is_past_end(self, code: str) -> bool:
        """Whether the error that came in place of a following page says that there is no such page."""


class _Single:
    numbered = False

    def is_past_end(self, code: str) -> bool:
        return False

    def first(self, call: Call) -> Call:
        return call

    def following(self, call: Call, answer: Answer, rows: int) -> Call | None:
        return None


class _Numbered:
    """Ends at a page without rows, and at one with fewer than `size` once that many are certain to come.

    They are when the source says so without asking for them, and when a page had them: a service may give fewer than it
    is asked for, and the first page alone does not tell that from the end. `step`: none for as many as came, though no
    more than were asked for, as a row in an answer may become several.
    """

    numbered = True

    def __init__(self, parameter: str, start: int, step: int | None, size_parameter: str, size: int) -> None:
        self._parameter = parameter
        self._value = start
        self._step = step
        self._size_parameter = size_parameter
        self._size = size
        self._is_certain = not size_parameter
        self._pages = 0

    def first(self, call: Call) -> Call:
        if self._size_parameter:
            call = call.with_parameter(self._size_parameter, self._size)
        return call.with_parameter(self._parameter, self._value)

    def following(self, call: Call, answer: Answer, rows: int) -> Call | None:
        self._pages += 1
        if rows == 0 or (self._is_certain and rows < self._size):
            return None
        self._is_certain = self._is_certain or rows == self._size
        self._value += self._step or min(rows, self._size)
        return call.with_parameter(self._parameter, self._value)

    def is_past_end(self, code: str) -> bool:
        """After a first page that was not full, a refusal is no limit to how deep one may page."""
        return code == "http_404" or (code in _NO_SUCH_PAGE and self._pages == 1 and not self._is_certain)


class _Cursor(_Single):
    def __init__(self, spec: CursorPagination) -> None:
        self._spec = spec

    def following(self, call: Call, answer: Answer, rows: int) -> Call | None:
        cursor = value_at(answer.body.file, self._spec.path, shown(answer.url))
        return None if cursor is None else call.with_parameter(self._spec.parameter, cursor)


class _Linked(_Single):
    """The next URL stands in the answer: in the header Link (RFC 8288), or at a path of the body."""

    def __init__(self, path: str | None) -> None:
        self._path = path

    def following(self, call: Call, answer: Answer, rows: int) -> Call | None:
        link = self._link(answer)
        if link is None:
            return None
        try:
            url = checked_url(link, answer.url)
        except BadUrl as error:
            raise SourceError(f"The next page that {shown(answer.url)} names: {error}", "pagination") from None
        return Call(call.method, url, call.headers, call.body)

    def _link(self, answer: Answer) -> str | None:
        if self._path is None:
            return next_link(answer.headers)
        link = value_at(answer.body.file, self._path, shown(answer.url))
        return None if link is None else str(link)


def next_link(headers: httpx2.Headers) -> str | None:
    """The target of the first link whose relations include "next"."""
    for target, parameters in _LINK.findall(headers.get("Link", "")):
        relations = next((quoted or plain for quoted, plain in _REL.findall(parameters)), "")
        if "next" in relations.lower().split():
            return str(target).strip()
    return None


def make_pager(spec: Pagination) -> Pager:
    match spec:
        case NoPagination():
            return _Single()
        case PagePagination():
            size = spec.size or (DEFAULT_SIZE if spec.size_parameter else 1)
            return _Numbered(spec.parameter, spec.first, 1, spec.size_parameter, size)
        case OffsetPagination():
            return _Numbered(spec.parameter, 0, None, spec.limit_parameter, spec.limit)
        case CursorPagination():
            return _Cursor(spec)
        case LinkHeaderPagination():
            return _Linked(None)
        case NextUrlPagination():
            return _Linked(spec.path)
