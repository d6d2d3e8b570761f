"""What passes from step to step."""

from typing import Any, NamedTuple

Row = dict[str, Any]
"""JSON values: str, int, float, Decimal, bool, None, lists and objects of these; datetime with a zone after mapping."""


class Rejected(NamedTuple):
    """A row that was left out: at which step, the code and text of its RowRejected, and what it was."""

    step: str
    code: str
    detail: str
    row: object


Item = Row | Rejected
