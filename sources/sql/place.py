"""Which database a URL means. Only what is listed here has a meaning in it: nothing reaches a driver by its query."""

import re
from typing import Any, Literal, NamedTuple

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from sources.definition import SQLITE
from sources.errors import BadDefinition

Dialect = Literal["postgresql", "mysql"]
DIALECTS: dict[str, Dialect] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "postgresql+psycopg": "postgresql",
    "mysql": "mysql",
    "mysql+pymysql": "mysql",
    "mariadb": "mysql",
    "mariadb+pymysql": "mysql",
}
DEFAULT_PORTS: dict[Dialect, int] = {"postgresql": 5432, "mysql": 3306}
TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
CHARSETS = ("utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "cp1250", "cp1251", "cp1252", "gbk", "sjis", "euckr")
MOST_HOST_CHARACTERS = 253  # of a name in DNS
FORM = "write it as postgresql://user@host:port/database, mysql://user@host:port/database or sqlite:upload-id"
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.:-]*[A-Za-z0-9_.:])?|::[0-9A-Fa-f:.]*")


class Server(NamedTuple):
    """`tls`: as libpq's sslmode; `prefer` and `require` do not look at the certificate."""

    dialect: Dialect
    user: str
    host: str
    port: int
    database: str
    tls: str
    charset: str

    def __str__(self) -> str:
        return f"the database {self.database!r} on {self.host}:{self.port}"


class Uploaded(NamedTuple):
    """An SQLite file that somebody sent."""

    id: str

    def __str__(self) -> str:
        return f"the SQLite file of upload {self.id}"


def place_of(text: str) -> Server | Uploaded:
    """Raises BadDefinition, whose message does not repeat the URL."""
    if text.startswith(SQLITE):
        return Uploaded(text.removeprefix(SQLITE))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise BadDefinition(f"The URL of the database is not understood: {FORM}.") from None
    dialect = DIALECTS.get(url.drivername)
    if dialect is None:
        raise BadDefinition(f"There is no way to read {url.drivername[:50]!r} databases: {FORM}.")
    if url.password is not None:
        raise BadDefinition("The URL of the database holds a password: put it into a secret, and name that.")
    return Server(
        dialect=dialect,
        user=_given(url.username, "user"),
        host=_host(_given(url.host, "host")),
        port=url.port or DEFAULT_PORTS[dialect],
        database=_given(url.database, "database"),
        **_options(url, dialect),
    )


def _given(part: str | None, name: str) -> str:
    if not part or "\0" in part:
        raise BadDefinition(f"The URL of the database has no {name}: {FORM}.")
    return part


def _host(host: str) -> str:
    if len(host) > MOST_HOST_CHARACTERS or not _HOST.fullmatch(host):
        raise BadDefinition("The URL of the database has no host that can be reached over a network.")
    return host


def _options(url: URL, dialect: Dialect) -> dict[str, Any]:
    """`sslmode`; and `charset`, which PostgreSQL needs not."""
    known = {"sslmode": TLS_MODES} | ({"charset": CHARSETS} if dialect == "mysql" else {})
    for name, value in url.query.items():
        if value not in known.get(name, ()):
            choices = "; ".join(f"{name}: {', '.join(values)}" for name, values in known.items())
            raise BadDefinition(f"The URL of the database may not say {name[:50]!r} in this way. It may say {choices}.")
    return {"tls": url.query.get("sslmode", "prefer"), "charset": url.query.get("charset", "utf8mb4")}
