"""Names of encodings, and the marks that some texts begin with."""

import codecs

from sources.errors import BadDefinition

_NOT_FOR_DATA = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf_7", "undefined", "oem", "mbcs"}
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def marked_encoding(head: bytes) -> str:
    """The encoding that a byte order mark says, or an empty text."""
    return next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), "")


def known_encoding(name: str) -> str:
    """Python's name of an encoding. Raises BadDefinition for one that there is not."""
    try:
        encoding = codecs.lookup(name).name
        "".encode(encoding)
    except (LookupError, ValueError):
        encoding = "undefined"
    if encoding.replace("-", "_") in _NOT_FOR_DATA:
        raise BadDefinition(
            f"There is no text encoding {name!r}: set decode.encoding to the right one, as utf-8 or windows-1252."
        )
    return encoding
