"""What was received, before it is decoded."""

from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes in a seekable file, on disk when they are many. What is not known is empty.

    `name`: the last part of the URL's path, or that of the uploaded file.
    """

    file: BinaryIO
    content_type: str = ""
    charset: str = ""
    name: str = ""
