"""Requests of one run: let in, paced, redirected and repeated, within the run's limits."""

import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event

import httpx2

from sources.address import Guard
from sources.definition import Http
from sources.errors import BadDefinition, Forbidden, NotModified, SourceError, TryLater, Unreachable
from sources.http.auth import make_credentials
from sources.http.budget import Budget
from sources.http.connection import IDLE_SECONDS, Transport
from sources.http.exchange import Answer, Call, OnRequest, exchange, phrase, succeeded
from sources.http.rates import Limit, Take, host_limit, source_limit, take
from sources.http.retry import MOST_WAIT_SECONDS, RETRIED, backoff_seconds, retry_after_seconds
from sources.http.urls import BadUrl, checked_url, origin, shown, with_query

MOST_REDIRECTS = 5
PATIENCE_SECONDS = 2.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HARMLESS = frozenset({"accept", "accept-language", "user-agent", "if-none-match", "if-modified-since"})
_CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time and chance, whom to trust, and whether to go on: `ended` is set when the run shall end."""

    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    take: Take = take
    tls: ssl.SSLContext | None = None
    idle_seconds: float = IDLE_SECONDS
    ended: Event = field(default_factory=Event)


class Fetcher:
    """Credentials and the source's own headers go to the origin of its URL alone.

    `patience_seconds`: how long a rate limit may make it wait; beyond, TryLater.
    """

    def __init__(
        self,
        spec: Http,
        *,
        budget: Budget,
        secrets: Mapping[str, str],
        guard: Guard,
        on_request: OnRequest,
        source: str,
        surroundings: Surroundings | None = None,
        read_body: bool = True,
    ) -> None:
        """`source` names whose rate limit counts. Raises BadDefinition."""
        self._around = surroundings or Surroundings()
        self._attempts = spec.attempts
        self._budget = budget
        self._on_request = on_request
        self._read_body = read_body
        self._url = _source_url(spec.url)
        self._own_limits = [source_limit(source, spec.rate_limit)] if spec.rate_limit else []
        self._credentials = make_credentials(spec.auth, secrets, self._send_for_token, self._around.clock)
        self._has_secrets = self._credentials.present or bool(_confidential(spec.headers))
        self._transport = Transport(guard, budget, self._around.tls, self._around.idle_seconds)
        self.patience_seconds = PATIENCE_SECONDS

    def fetch(self, call: Call) -> Answer:
        """The answer, whose status is one of success.

        Raises NotModified; TryLater; Forbidden for 401 and 403; SourceError with code http_404 and the like;
        Unreachable when all attempts failed; BadUrl, AddressRefused, LimitExceeded, Undecodable, BadDefinition,
        Cancelled.
        """
        attempt = 1
        while True:
            try:
                answer = self._let_in(call)
            except Unreachable as error:
                failure, asked = error, None
            else:
                if answer.status not in RETRIED:
                    return self._accepted(answer, conditional=not _CONDITIONS.isdisjoint(call.headers))
                failure = Unreachable(f"{shown(answer.url)} answered {phrase(answer.status)}.", f"http_{answer.status}")
                asked = retry_after_seconds(answer.headers, self._around.now)
            self._pause(attempt, asked, failure)
            attempt += 1

    def _pause(self, attempt: int, asked: float | None, failure: Unreachable) -> None:
        """Wait for the next attempt, or raise."""
        wait = max(asked or 0.0, backoff_seconds(attempt, self._around.jitter))
        too_long = wait > MOST_WAIT_SECONDS or wait >= self._budget.seconds_left()
        if asked is not None and too_long:
            raise TryLater(self._around.now() + wait, f"{failure} It asks to be left alone for {wait:.0f} s.")
        if attempt >= self._attempts or too_long:
            raise failure
        self._sleep(wait)

    def _accepted(self, answer: Answer, conditional: bool) -> Answer:
        status, where = answer.status, shown(answer.url)
        if status == 304 and conditional:
            raise NotModified
        if status in (401, 403):
            raise Forbidden(f"{where} answered {phrase(status)}: {self._advice(answer)}")
        if not succeeded(status):
            raise SourceError(f"{where} answered {phrase(status)}: check the URL and its parameters.", f"http_{status}")
        return answer

    def _advice(self, answer: Answer) -> str:
        if self._has_secrets and origin(answer.url) != origin(self._url):
            return "credentials are sent to the origin of the source's URL alone; put this one into the source."
        return "check auth and its secret." if self._credentials.present else "it wants credentials; set auth."

    def _let_in(self, call: Call) -> Answer:
        answer = self._redirected(call)
        if answer.status == 401 and self._credentials.renew():
            answer = self._redirected(call)
        return answer

    def _redirected(self, call: Call) -> Answer:
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._send(call)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            call = self._redirect(call, answer, location)
        raise SourceError(f"{shown(self._url)} redirects more than {MOST_REDIRECTS} times.", "too_many_redirects")

    def _redirect(self, call: Call, answer: Answer, location: str) -> Call:
        try:
            url = checked_url(location, answer.url)
        except BadUrl as error:
            raise SourceError(f"{shown(answer.url)} redirects to a bad URL: {error}", "redirect_refused") from None
        self.refuse_downgrade(answer.url, url)
        if call.method == "POST" and answer.status in (301, 302, 303):
            return replace(call, method="GET", url=url, body=None)
        return replace(call, url=url)

    def refuse_downgrade(self, start: httpx2.URL, target: httpx2.URL) -> None:
        """Raises SourceError when https:// leads to http:// and there is something to be kept secret."""
        if self._has_secrets and (start.scheme, target.scheme) == ("https", "http"):
            raise SourceError(
                f"{shown(start)} leads to {shown(target)}, without TLS. A source with credentials does not go there: "
                "put the URL to be read into the source.",
                "redirect_refused",
            )

    def _send(self, call: Call) -> Answer:
        if origin(call.url) == origin(self._url):
            call = self._credentials.apply(call)
        elif call.body is not None:
            raise SourceError(
                f"{shown(self._url)} leads to {shown(call.url)}, another origin, to which no body is sent: "
                "put the URL to be read into the source.",
                "redirect_refused",
            )
        else:
            call = replace(call, headers=_harmless(call.headers))
        self._wait_for_turn(call.url, self._own_limits)
        return exchange(call, self._transport, self._budget, self._on_request, self._read_body)

    def _send_for_token(self, call: Call) -> Answer:
        self._wait_for_turn(call.url, [])
        return exchange(call, self._transport, self._budget, self._on_request)

    def _wait_for_turn(self, url: httpx2.URL, limits: list[Limit]) -> None:
        of_host = host_limit(url.raw_host.decode("ascii"))
        limits = [*limits, of_host] if of_host else limits
        most = min(self.patience_seconds, self._budget.seconds_left())
        if limits and (seconds := self._around.take(limits, most)) > 0:
            self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        self._around.sleep(seconds)
        self._budget.seconds_left()

    def close(self) -> None:
        self._transport.close()


def first_call(spec: Http) -> Call:
    """What the source asks, without credentials and paging. Raises BadDefinition."""
    for name in spec.headers:
        if name.lower() in _OURS:
            raise BadDefinition(f"The header {name} is set by this service: leave it out.")
    call = Call(spec.method, _source_url(spec.url), spec.headers, spec.body)
    return replace(call, url=with_query(call.url, spec.query))


def _source_url(text: str) -> httpx2.URL:
    try:
        return checked_url(text)
    except BadUrl as error:
        raise BadDefinition(f"extract.url: {error}", error.code) from None


def _confidential(headers: Mapping[str, str]) -> set[str]:
    return {name.lower() for name in headers} - _HARMLESS - {"content-type"}


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
