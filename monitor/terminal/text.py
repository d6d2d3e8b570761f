"""Text from elsewhere on a terminal."""

import re

from rich.cells import cell_len, set_cell_size

# Control characters, what reorders or hides text, line separators, surrogates: nobody else may steer the terminal.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_JSON_SPACE = str.maketrans("\t\n\r", "   ")


def printable(text: str) -> str:
    r"""What a terminal or a JSON reader could take for something else is written as \uXXXX."""
    return _UNPRINTABLE.sub(_escaped, text)


def printable_json(text: str) -> str:
    """The same JSON in one line."""
    return printable(text.translate(_JSON_SPACE))


def cut(text: str, cells: int) -> str:
    """At most so many cells of the terminal."""
    return text if cell_len(text) <= cells else set_cell_size(text, max(cells - 1, 0)) + "…"


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
