"""What shows the other side who asks."""

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote_plus, urlencode

import msgspec

from sources.definition import ApiKeyAuth, Auth, BasicAuth, BearerAuth, NoAuth, OAuth2Auth
from sources.errors import BadDefinition, Forbidden, Undecodable, Unreachable
from sources.http.exchange import Answer, Call, phrase, succeeded
from sources.http.retry import RETRIED
from sources.http.urls import checked_url, shown

Send = Callable[[Call], Answer]
MOST_TOKEN_BYTES = 1 << 20
_FORM = "application/x-www-form-urlencoded"


class Credentials(Protocol):
    @property
    def present(self) -> bool:
        """Whether anything is added to a request."""

    def apply(self, call: Call) -> Call:
        """The call with what it takes to be let in."""

    def renew(self) -> bool:
        """After 401: whether asking again has a point."""


class Fixed:
    """Headers and query parameters that stay the same for the whole run."""

    def __init__(self, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
        self._headers = headers
        self._query = query

    @property
    def present(self) -> bool:
        return bool(self._headers or self._query)

    def apply(self, call: Call) -> Call:
        for name, value in self._query.items():
            call = call.with_parameter(name, value)
        return call.with_headers(self._headers)

    def renew(self) -> bool:
        return False


class _Token(msgspec.Struct):
    access_token: str
    token_type: str = "bearer"
    expires_in: float | str | None = None


class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749, section 4.4). The token lives in memory until it expires.

    The client authenticates by Basic, which servers must take; if that is refused, by the body (section 2.3.1).
    """

    present = True

    def __init__(self, auth: OAuth2Auth, secret: str, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._auth = auth
        self._secret = secret
        self._send = send
        self._clock = clock
        self._token = ""
        self._expires_at = 0.0

    def apply(self, call: Call) -> Call:
        """Raises Unreachable, Forbidden, Undecodable for what the token endpoint answers."""
        if not self._token or self._clock() >= self._expires_at:
            self._fetch()
        return call.with_headers({"Authorization": f"Bearer {self._token}"})

    def renew(self) -> bool:
        self._token = ""
        return True

    def _fetch(self) -> None:
        url = checked_url(self._auth.token_url)
        answer = self._ask(by_body=False)
        if answer.status in (400, 401):
            answer = self._ask(by_body=True)
        if answer.status in RETRIED:
            raise Unreachable(f"The token endpoint {shown(url)} answered {phrase(answer.status)}.", "token")
        if not succeeded(answer.status):
            raise Forbidden(
                f"The token endpoint {shown(url)} answered {phrase(answer.status)}: "
                "check client_id, the secret and scope.",
                "token",
            )
        token = _token(answer)
        self._token = token.access_token
        self._expires_at = self._clock() + _lifetime_seconds(token)

    def _ask(self, by_body: bool) -> Answer:
        form = {"grant_type": "client_credentials"} | ({"scope": self._auth.scope} if self._auth.scope else {})
        headers = {"Content-Type": _FORM, "Accept": "application/json"}
        if by_body:
            form |= {"client_id": self._auth.client_id, "client_secret": self._secret}
        else:
            headers["Authorization"] = basic(quote_plus(self._auth.client_id), quote_plus(self._secret))
        return self._send(Call("POST", checked_url(self._auth.token_url), headers, urlencode(form)))


def _token(answer: Answer) -> _Token:
    with answer.body.file as file:
        try:
            token = msgspec.json.decode(file.read(MOST_TOKEN_BYTES), type=_Token)
        except msgspec.DecodeError:
            token = _Token("")
    if not token.access_token or token.token_type.lower() != "bearer":
        raise Undecodable(
            f"The token endpoint {shown(answer.url)} answered without a bearer token: check token_url.", "token"
        )
    return token


def _lifetime_seconds(token: _Token) -> float:
    """A little less than said. Not said: until it is refused."""
    try:
        seconds = float(token.expires_in) if token.expires_in is not None else float("inf")
    except ValueError:
        return float("inf")
    return seconds - min(30.0, seconds / 10)


def basic(user: str, password: str) -> str:
    """RFC 7617, in UTF-8."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def make_credentials(
    auth: Auth, secrets: Mapping[str, str], send: Send, clock: Callable[[], float] = time.monotonic
) -> Credentials:
    """`send` asks for tokens. Raises BadDefinition when a secret is missing or cannot be sent."""
    if isinstance(auth, NoAuth):
        return Fixed({}, {})
    secret = _secret(auth.secret, secrets)
    if isinstance(auth, OAuth2Auth):
        return ClientCredentials(auth, secret, send, clock)
    if isinstance(auth, BasicAuth):
        return Fixed({"Authorization": basic(auth.user, secret)}, {})
    if isinstance(auth, ApiKeyAuth) and auth.place == "query":
        return Fixed({}, {auth.name: secret})
    if not secret.isascii() or not secret.isprintable():
        raise BadDefinition(f"The secret {auth.secret} has characters that headers cannot carry: set it again.")
    if isinstance(auth, BearerAuth):
        return Fixed({"Authorization": f"Bearer {secret}"}, {})
    return Fixed({auth.name: secret}, {})


def _secret(name: str, secrets: Mapping[str, str]) -> str:
    if name not in secrets:
        raise BadDefinition(f"The source has no secret named {name}: set it.")
    return secrets[name]
