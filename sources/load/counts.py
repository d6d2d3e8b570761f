"""What became of the rows that were given to be loaded."""

from dataclasses import dataclass, field, fields

from sources.errors import RowRejected
from sources.rows import Rejected


@dataclass(slots=True)
class Counts:
    """Of one call. Each row given is appended, inserted, updated, unchanged or superseded, or among `rejected`.

    `superseded`: rows in whose place a later row of the same run and key stands. `deleted` counts records, not rows.
    """

    appended: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    deleted: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, row: object, rejection: RowRejected) -> None:
        self.rejected.append(Rejected("load", rejection.code, str(rejection), row))

    def numbers(self) -> dict[str, int]:
        """Those above zero, without `rejected`."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "rejected"}
        return {name: number for name, number in named.items() if number}

    def add(self, other: "Counts") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
