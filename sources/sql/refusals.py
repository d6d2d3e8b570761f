"""What databases' errors mean for a run."""

import re
import sqlite3
from typing import Any

import psycopg
import pymysql

from sources.errors import BadDefinition, Forbidden, LimitExceeded, SourceError, Undecodable, Unreachable

Kind = type[SourceError]
_TIMEOUT_CODE = "statement_timeout"
_SQLSTATES: dict[str, Kind] = {
    "57014": LimitExceeded,
    "42501": Forbidden,
    "25006": BadDefinition,
    "3D000": BadDefinition,
    "3F000": BadDefinition,
    "28": Forbidden,
    "42": BadDefinition,
    "22": BadDefinition,
    "08": Unreachable,
    "40": Unreachable,
    "53": Unreachable,
    "55": Unreachable,
    "57": Unreachable,
    "58": Unreachable,
}
_MYSQL_ERRORS: dict[int, Kind] = {
    **dict.fromkeys((1044, 1045, 1130, 1142, 1143, 1227, 1370, 1698, 3118), Forbidden),
    **dict.fromkeys(
        (1049, 1051, 1052, 1054, 1056, 1060, 1064, 1103, 1109, 1146, 1149, 1248, 1305, 1792), BadDefinition
    ),
    **dict.fromkeys((1969, 3024), LimitExceeded),
    **dict.fromkeys((1040, 1053, 1077, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1317, 1927), Unreachable),
    **dict.fromkeys((2002, 2003, 2006, 2013, 2026, 2027, 4031), Unreachable),
}
_SQLITE_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN", "SQLITE_FORMAT")
_HINTS: dict[Kind, str] = {
    LimitExceeded: "raise statement_timeout_seconds, or ask for less",
    Forbidden: "look at the user, the secret and what the user may read",
    BadDefinition: "look at the table or query of the source",
    Undecodable: "send a file that is whole",
    Unreachable: "it is tried again",
}


def refusal(error: BaseException, place: object, password: str) -> SourceError:
    """What to raise for a driver's error. The message has the database's own words, but never the password."""
    kind, words = _kind_and_words(error)
    if password and password in words:
        words = words.replace(password, "…")
    hint = f"; {_HINTS[kind]}" if kind in _HINTS else ""
    return kind(f"{str(place).capitalize()[0]}{str(place)[1:]} says: {words}{hint}.", _code(kind))


def _code(kind: Kind) -> str | None:
    return _TIMEOUT_CODE if kind is LimitExceeded else None


def _kind_and_words(error: BaseException) -> tuple[Kind, str]:
    if isinstance(error, psycopg.Error):
        return _postgresql(error)
    if isinstance(error, pymysql.err.MySQLError):
        return _mysql(error)
    if isinstance(error, sqlite3.Error):
        return _sqlite(error), _line(str(error))
    if isinstance(error, UnicodeDecodeError):
        return Undecodable, f"a text is not {error.encoding}"
    return Unreachable, _line(str(error))


def _postgresql(error: psycopg.Error) -> tuple[Kind, str]:
    state = error.sqlstate or ""
    words = error.diag.message_primary or _without_address(str(error))
    if state:
        return _SQLSTATES.get(state, _SQLSTATES.get(state[:2], SourceError)), _line(words)
    return _connecting(words), _line(words)


def _connecting(words: str) -> Kind:
    """Before there is a connection libpq gives no code, only words."""
    if re.search(r"authentication failed|no pg_hba.conf entry|no password supplied|role .* does not exist", words):
        return Forbidden
    if re.search(r"database .* does not exist", words):
        return BadDefinition
    return Unreachable


def _without_address(words: str) -> str:
    return words.rsplit("failed: ", 1)[-1]


def _mysql(error: pymysql.err.MySQLError) -> tuple[Kind, str]:
    number, words = (*error.args, "", "")[:2]
    known = _MYSQL_ERRORS.get(number) if isinstance(number, int) else None
    return known or SourceError, _line(str(words or error))


def _sqlite(error: sqlite3.Error) -> Kind:
    name: Any = getattr(error, "sqlite_errorname", "")
    if name in _SQLITE_DAMAGED:
        return Undecodable
    return LimitExceeded if name == "SQLITE_INTERRUPT" else BadDefinition


def _line(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return (lines[0] if lines else "nothing")[:500].rstrip(".")
