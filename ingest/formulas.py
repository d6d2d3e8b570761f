"""Texts that a spreadsheet must not take for formulas.

CWE-1236 (improper neutralization of formula elements in a CSV file) and OWASP ASVS 5.0, 1.2.10: a cell that begins with
=, +, -, @, a tab, a carriage return or a line feed gets a ' before it. So do the full-width forms of these signs, which
some spreadsheets take for the others. Plain numbers stay numbers.
"""

import re

_BEGINNINGS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_number = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def defused(text: str) -> str:
    return f"'{text}" if text.startswith(_BEGINNINGS) and not _number.fullmatch(text) else text
