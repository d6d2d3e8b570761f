"""A JSON document of any size, of which the elements of one list are read one by one.

Python's own decoder says where a value ends that begins at a given place (`raw_decode`), which is all that is needed to
go through a list with a window on the text. What stands beside the path is passed over bracket by bracket.
"""

import codecs
import json
import re
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, NoReturn

from sources.decode import json_path
from sources.decode.encoding import misfit
from sources.decode.json_values import MAX_DEPTH, decoder, may_have_lone_surrogate
from sources.errors import LimitExceeded, Undecodable

MAX_ROW_CHARACTERS = 16_777_216
_CHUNK_BYTES = 262_144
_NEAR_THE_END = 16  # an error so near may be due to a number, literal or escape that the window cuts in two
_blank = re.compile(r"[ \t\r\n]*")
_token = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]+|[\]}]|[^"\[\]{}]+', re.DOTALL)

Element = tuple[Any, bool, bool]
"""A value, whether it may be deep, and whether it may hold half a surrogate pair."""


class JsonStream:
    def __init__(self, start: bytes, stream: BufferedReader) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._stream = stream
        self._read_bytes = 0
        self._is_at_end = False
        self._dropped = 0
        self._text = ""
        self._position = 0
        self._append(start)

    def elements(self, names: list[str]) -> Iterator[Element]:
        """Of the list at the path, or the object there itself. Raises Undecodable, also if what follows is broken."""
        for depth, name in enumerate(names):
            self._enter(names[:depth], name)
        opening = self._next_character()
        if opening == "[":
            self._position += 1
            yield from self._list()
        elif opening == "{":
            yield self._value()
        elif self._value()[0] is not None:
            raise Undecodable(f"{json_path.place(names)} is neither a list nor an object: see decode.path.")
        self._pass(len(names))
        if self._next_character():
            self._broken("there is more after the end of the document; are these lines of JSON (format ndjson)?")

    def _list(self) -> Iterator[Element]:
        if self._next_character() == "]":
            self._position += 1
            return
        while True:
            yield self._value()
            mark = self._next_character()
            self._position += 1
            if mark == "]":
                return
            if mark != ",":
                self._broken("',' or ']' is missing" if mark else "it ends inside the list")
            self._next_character()

    def _enter(self, names: list[str], name: str) -> None:
        """Go on to the value of a member of the object that comes next."""
        if self._next_character() != "{":
            raise json_path.no_object(names, "a list or a value")
        self._position += 1
        members: list[str] = []
        while self._next_character() == '"':
            member = self._value()[0]
            if self._next_character() != ":":
                self._broken("':' is missing")
            self._position += 1
            self._next_character()
            if member == name:
                return
            members.append(member)
            del members[100:]
            self._pass_value()
            if self._next_character() == ",":
                self._position += 1
        if self._next_character() != "}":
            self._broken("the name of a member is missing")
        raise json_path.no_member(names, name, members)

    def _value(self) -> Element:
        while True:
            start = self._position
            try:
                value, end = decoder.raw_decode(self._text, start)
            except RecursionError:
                raise Undecodable(f"The JSON is nested far too deeply at character {self._at(start)}.") from None
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _NEAR_THE_END
                if not is_cut or not self._more():
                    self._broken(error.msg, error.pos)
            except ValueError as error:
                self._broken(str(error), start)
            else:
                if end < len(self._text) or not self._more():
                    break
        self._position = end
        count = self._text.count
        deep = count("{", start, end) + count("[", start, end) > MAX_DEPTH
        has_escape = self._text.find("\\u", start, end) >= 0
        return value, deep, has_escape and may_have_lone_surrogate(self._text[start:end].encode())

    def _pass_value(self) -> None:
        if self._next_character() in ("[", "{"):
            self._position += 1
            self._pass(1)
        else:
            self._value()

    def _pass(self, levels: int) -> None:
        """Go on to behind the end of so many lists and objects that are open."""
        while levels:
            token = _token.match(self._text, self._position)
            if token is None:  # the window ends here, or inside a string
                if not self._more():
                    self._broken("what is open is never closed")
                continue
            if token[0][0] in "[{":
                levels += len(token[0])
            elif token[0] in "]}":
                levels -= 1
            self._position = token.end()

    def _next_character(self) -> str:
        """What comes after blanks, an empty text at the end."""
        while True:
            match = _blank.match(self._text, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Widen the window; false at the end of the document. What is before the position is let go."""
        if self._is_at_end:
            return False
        kept = len(self._text) - self._position
        if kept > MAX_ROW_CHARACTERS:
            raise LimitExceeded(
                f"What begins at character {self._at(self._position)} is one value of more than"
                f" {MAX_ROW_CHARACTERS:,} characters: say in decode.path where the list of rows is."
            )
        data = self._stream.read(max(_CHUNK_BYTES, kept))
        self._text = self._text[self._position :]
        self._dropped += self._position
        self._position = 0
        self._append(data)
        return True

    def _append(self, data: bytes) -> None:
        try:
            self._text += self._decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise misfit(error, "utf-8", self._read_bytes) from None
        self._read_bytes += len(data)
        self._is_at_end = not data

    def _at(self, position: int) -> str:
        return f"{self._dropped + position:,}"

    def _broken(self, what: str, position: int | None = None) -> NoReturn:
        at = self._at(self._position if position is None else position)
        raise Undecodable(f"The JSON is broken{' or cut off' if self._is_at_end else ''} at character {at}: {what}.")
