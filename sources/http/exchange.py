"""One request and its answer."""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Self, cast

import httpcore2
import httpx2
import orjson

from sources.bodies import Body
from sources.errors import BadDefinition, SourceError, Undecodable, Unreachable
from sources.http.budget import Budget
from sources.http.encoding import ACCEPTED, BrokenEncoding, decoded, is_known
from sources.http.urls import shown, with_query

OnRequest = Callable[[str, int, int, float], None]
"""Told of each request: URL without credentials and query, status (0: no answer), bytes of body received, seconds."""

MEMORY_BYTES = 4 << 20
_DEFAULTS = {"Accept": "*/*", "User-Agent": "data-handler", "Accept-Encoding": ACCEPTED}


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be asked. `body`: none, text sent as it is, or a value sent as JSON."""

    method: str
    url: httpx2.URL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Each header once, in place of those of its name."""
        lower = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in lower}
        return replace(self, headers={**kept, **headers})

    def with_parameter(self, name: str, value: str | int) -> Self:
        """Set in the body if that is an object which has the parameter already, else in the query."""
        if isinstance(self.body, dict) and name in self.body:
            return replace(self, body={**self.body, name: value})
        return replace(self, url=with_query(self.url, {name: str(value)}))

    def content(self) -> bytes | None:
        if self.body is None or isinstance(self.body, str):
            return None if self.body is None else self.body.encode()
        return orjson.dumps(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """`url`: that of the call, or where redirects led. `body`: empty unless the status is one of success."""

    status: int
    headers: httpx2.Headers
    body: Body
    url: httpx2.URL


def succeeded(status: int) -> bool:
    """Whether there is a whole answer: 206 is a part of one, which nobody asked for."""
    return 200 <= status < 300 and status != 206


def phrase(status: int) -> str:
    """Such as "404 Not Found"."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def exchange(
    call: Call, transport: httpx2.BaseTransport, budget: Budget, on_request: OnRequest, read_body: bool = True
) -> Answer:
    """Send and receive, the body into a file that the caller closes.

    Raises Unreachable for whatever is wrong with the connection, a body that was cut off or badly compressed;
    Undecodable, AddressRefused, LimitExceeded, BadDefinition.
    """
    started, received, status = time.perf_counter(), budget.received_bytes, 0
    with ExitStack() as opened:
        try:
            with _said_for_people(call.url):
                response = transport.handle_request(_request(call))
                with closing(response):
                    status = response.status_code
                    wanted = read_body and succeeded(status)
                    file = opened.enter_context(_received(response, budget, call.url) if wanted else BytesIO())
        finally:
            seconds = time.perf_counter() - started
            on_request(shown(call.url), status, budget.received_bytes - received, seconds)
        opened.pop_all()  # nothing was raised: the file stays open
    return Answer(status, response.headers, _body(file, response, call.url), call.url)


def _request(call: Call) -> httpx2.Request:
    content = call.content()
    json = {"Content-Type": "application/json"} if content is not None and not isinstance(call.body, str) else {}
    headers = httpx2.Headers({**_DEFAULTS, **json})
    try:
        headers.update(call.headers)
        return httpx2.Request(call.method, call.url, headers=headers, content=content)
    except UnicodeEncodeError:
        raise BadDefinition(
            "A header or its secret has characters that headers cannot carry: use ASCII alone."
        ) from None


def _received(response: httpx2.Response, budget: Budget, url: httpx2.URL) -> BinaryIO:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if not is_known(encoding):
        raise Undecodable(f"{shown(url)} answered with Content-Encoding {encoding[:40]!r}, which was not asked for.")
    file = cast(BinaryIO, SpooledTemporaryFile(max_size=MEMORY_BYTES))  # noqa: SIM115 the caller closes it
    try:
        for piece in decoded(_counted(response, budget), encoding):
            budget.decode(len(piece))
            file.write(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _counted(response: httpx2.Response, budget: Budget) -> Iterator[bytes]:
    for piece in response.iter_raw():
        budget.receive(len(piece))
        yield piece


def _body(file: BinaryIO, response: httpx2.Response, url: httpx2.URL) -> Body:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Body(file, content_type, (response.charset_encoding or "").lower(), url.path.rpartition("/")[2])


@contextmanager
def _said_for_people(url: httpx2.URL) -> Iterator[None]:
    """Errors of the connection as those of sources; none repeats what was sent or received."""
    where = shown(url)
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise Unreachable(f"{where} was silent for too long.", "timeout") from error
    except httpcore2.ConnectError as error:
        raise _not_connected(where, error.args[0] if error.args else error) from error
    except BrokenEncoding as error:
        raise Unreachable(f"The answer of {where} is badly compressed: {error}.", "broken_encoding") from error
    except httpcore2.LocalProtocolError:
        raise BadDefinition("A header or its secret has characters that headers cannot carry.") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError):
        raise Unreachable(f"The answer of {where} broke off, or is not HTTP.", "cut_off") from None


def _not_connected(where: str, reason: object) -> SourceError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return SourceError(f"The certificate of {where} is not valid: {reason.verify_message}.", "certificate")
    if isinstance(reason, ssl.SSLError):
        return Unreachable(f"No TLS connection to {where}: {reason.reason}.", "tls")
    text = reason.strerror if isinstance(reason, OSError) and reason.strerror else "no connection"
    return Unreachable(f"{where} cannot be reached: {text}.", "unreachable")
