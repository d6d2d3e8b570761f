"""What came, unpacked."""

from io import BufferedReader
from typing import NamedTuple


class Content(NamedTuple):
    """`stream.peek(1)` at the start gives its first MiB; `name` is that of the packed file, if it was packed."""

    stream: BufferedReader
    content_type: str
    charset: str
    name: str
