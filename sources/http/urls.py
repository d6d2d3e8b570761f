"""URLs of sources: checked, compared, and shown without what must not be seen."""

from collections.abc import Mapping
from urllib.parse import quote_plus, unquote_plus

import httpx2

from sources.errors import SourceError

Origin = tuple[str, str, int]
MOST_HOST_CHARACTERS = 253  # of a name in DNS
_PORTS = {"http": 80, "https": 443}


class BadUrl(SourceError):
    code = "bad_url"


def checked_url(text: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """The URL, absolute and without a fragment. Raises BadUrl, whose message does not repeat the URL."""
    try:
        url = httpx2.URL(text) if base is None else base.join(text)
        url = url.copy_with(fragment=None)
    except (httpx2.InvalidURL, ValueError):
        raise BadUrl("This is not a URL: write it as https://host/path, without spaces and line breaks.") from None
    if url.scheme not in _PORTS:
        raise BadUrl(f"Sources read http:// and https:// alone, not {url.scheme[:20] or 'nothing'}://.")
    if url.userinfo:
        raise BadUrl("A URL may not hold a user name or password: put them into auth and a secret.")
    if not url.raw_host or b"%" in url.raw_host:
        raise BadUrl("The URL has no host that could be found: write it as https://host/path.")
    if len(url.raw_host) > MOST_HOST_CHARACTERS:
        raise BadUrl(f"The URL's host has more than {MOST_HOST_CHARACTERS} characters, which no name has.")
    if url.port is not None and not 0 < url.port < 65536:
        raise BadUrl("The URL's port must be from 1 to 65535.")
    return url


def origin(url: httpx2.URL) -> Origin:
    """Scheme, host and port (RFC 6454)."""
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


def shown(url: httpx2.URL) -> str:
    """For people and logs: without credentials and query."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


def with_query(url: httpx2.URL, parameters: Mapping[str, str]) -> httpx2.URL:
    """Each parameter once, in place of those of its name; the others stay as they are spelled."""
    if not parameters:
        return url
    kept = [pair for pair in url.query.decode("ascii").split("&") if pair and _name(pair) not in parameters]
    added = [f"{quote_plus(name)}={quote_plus(value)}" for name, value in parameters.items()]
    return url.copy_with(query="&".join(kept + added).encode("ascii"))


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])
