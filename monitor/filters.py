"""What of the feed a subscription is about: streams, a glob for the type, and words that payloads must agree with.

The words are those of docs/live-feed.md: `pump payload.site=oslo payload.motor.speed>=1200`.
"""

import fnmatch
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

MAX_CHARACTERS = 1000
MAX_WORDS = 16

WORD = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+')
COMPARISON = re.compile(r"payload\.(?P<path>[^=<>!]+)(?P<operator>!=|<=|>=|=|<|>)(?P<value>.*)", re.DOTALL)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Scalar = str | int | float | bool | None


class InvalidFilter(ValueError):
    """The text of a filter makes no sense; the message says where."""


class Document:
    """An event as JSON text, read at most once, and only when a filter asks."""

    __slots__ = ("_event", "_folded", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._event: Any = None
        self._folded: str | None = None

    @property
    def payload(self) -> Any:
        return self._read().get("payload")

    @property
    def folded(self) -> str:
        """Type, key and payload in one text without regard to case."""
        if self._folded is None:
            event = self._read()
            payload = orjson.dumps(event.get("payload")).decode()
            self._folded = f"{event.get('type') or ''}\n{event.get('key') or ''}\n{payload}".casefold()
        return self._folded

    def _read(self) -> Any:
        if self._event is None:
            self._event = orjson.loads(self._text)
        return self._event


@dataclass(frozen=True, slots=True)
class Text:
    folded: str

    def holds(self, document: Document) -> bool:
        return self.folded in document.folded


@dataclass(frozen=True, slots=True)
class Comparison:
    path: tuple[str, ...]
    operator: str
    value: Scalar

    def holds(self, document: Document) -> bool:
        found, value = _member(document.payload, self.path)
        if self.operator in ("=", "!="):
            return (found and _kind(value) == _kind(self.value) and value == self.value) is (self.operator == "=")
        comparable = found and _kind(value) == _kind(self.value) and _kind(value) in (str, float)
        return comparable and OPERATORS[self.operator](value, self.value)


Word = Text | Comparison


@dataclass(frozen=True, slots=True)
class Filter:
    """None stands for any. A stream name that is not in `streams` stays unseen, also in counts."""

    streams: frozenset[str] | None = None
    type: str | None = None
    words: tuple[Word, ...] = ()

    def sees(self, stream: str) -> bool:
        return self.streams is None or stream in self.streams

    def matches(self, stream: str, type: str | None) -> bool:
        return self.sees(stream) and (self.type is None or (type is not None and bool(_glob(self.type)(type))))

    def holds(self, document: Document) -> bool:
        return all(word.holds(document) for word in self.words)


def parse(text: str) -> tuple[Word, ...]:
    """The words of a filter. Raises InvalidFilter."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidFilter(f"A filter has at most {MAX_CHARACTERS} characters; this one has {len(text)}.")
    if rest := WORD.sub("", text).strip():
        raise InvalidFilter(f"A double quote is not closed: {rest}")
    words = WORD.findall(text)
    if len(words) > MAX_WORDS:
        raise InvalidFilter(f"A filter has at most {MAX_WORDS} words; this one has {len(words)}.")
    return tuple(_word(word) for word in words)


def _word(word: str) -> Word:
    if not word.startswith("payload."):
        return Text(_unquoted(word).casefold())
    match = COMPARISON.fullmatch(word)
    if match is None:
        raise InvalidFilter(f"'{word}' lacks a comparison, such as payload.site=oslo or payload.speed>=1200.")
    path = tuple(match["path"].split("."))
    if not all(path):
        raise InvalidFilter(f"'{word}' has an empty name between dots.")
    value = _value(match["value"])
    if match["operator"] in OPERATORS and _kind(value) not in (str, float):
        raise InvalidFilter(f"'{word}' compares with {match['value']}, which is neither a number nor a text.")
    return Comparison(path, match["operator"], value)


def _value(text: str) -> Scalar:
    if '"' in text:
        return _unquoted(text)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if _kind(value) is not None else text


def _unquoted(word: str) -> str:
    """Without its double quotes; in them, a backslash makes the next character plain."""
    return re.sub(r'"((?:[^"\\]|\\.)*)"', lambda match: re.sub(r"\\(.)", r"\1", match[1]), word)


def _member(value: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    for name in path:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            return False, None
    return True, value


def _kind(value: Any) -> type | None:
    """What a JSON value can be compared with; None for objects and arrays."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float
    return type(value) if value is None or isinstance(value, str | bool) else None


@lru_cache(1000)
def _glob(pattern: str) -> Callable[[str], object]:
    """fnmatch makes expressions that do not backtrack; what it has beyond * and ? is taken literally."""
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match
