"""Why a client of the feed gives up.

ClientError
├── BadArgument          a URL, key or position that cannot be one
├── Refused              the server does not want it so, now or later
└── ProtocolViolation    the server broke a rule of docs/live-feed.md
"""

ADVICE = {
    "bad_frame": "Mend what was asked for, or use a client of the server's version.",
    "bad_filter": "docs/live-feed.md lists what a filter may say.",
    "bad_since": "Leave 'since' out, or use a position of this server.",
    "frame_too_large": "Shorten the filter.",
    "not_authenticated": "Use another API key: this one is wrong, revoked or expired.",
    "permission_denied": "Use a key with the scope 'read' that is for this stream, or have this one changed.",
    "http_401": "Use an API key of this server.",
    "http_403": "Does the address name the server as it is called, and does a proxy let WebSockets pass?",
    "http_404": "No live feed is at this address: is the URL that of Data Handler?",
}


class ClientError(Exception):
    """The message says what was wrong and what to do."""


class BadArgument(ClientError, ValueError):
    pass


class Refused(ClientError):
    """Trying again would end the same. `code` is that of the server's `error` frame, `http_<status>`, or other."""

    def __init__(self, code: str, message: str) -> None:
        advice = ADVICE.get(code, "")
        super().__init__(f"The live feed refuses: {message} {advice}".strip())
        self.code = code


class ProtocolViolation(ClientError):
    def __init__(self, message: str) -> None:
        super().__init__(f"The server broke the protocol of the live feed: {message}. Please report this.")
