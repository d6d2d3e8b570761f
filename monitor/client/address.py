"""Where the feed of a server is, and who asks."""

from urllib.parse import urlsplit

from monitor.client.errors import BadArgument

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def feed_address(url: str) -> str:
    """The WebSocket address of the feed of the server at an http(s) address. Raises BadArgument."""
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment:
        raise BadArgument(f"{url!r} is not a server's address: write it as http://localhost:8000.")
    if parts.username is not None or parts.password is not None:
        raise BadArgument("A key does not belong into the address: give it on its own.")
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/ws/events/"


def checked_key(key: str) -> str:
    """Raises BadArgument for what cannot stand in a header."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise BadArgument("This is not an API key: they begin with 'dh_' and have no spaces.")
    return key


def is_local(url: str) -> bool:
    """Whether the server is on this machine."""
    return urlsplit(url).hostname in LOOPBACK
