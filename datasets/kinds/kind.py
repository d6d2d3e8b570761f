"""A kind of analysis, and the register of them.

A new kind is one class:

    class Spread(Struct, frozen=True, forbid_unknown_fields=True):
        column: str

    @register
    class SpreadKind(Kind[Spread]):
        name, title, Parameters = "spread", "Spread", Spread

        def run(self, tables, parameters, progress):
            low, high = tables[0].row(f"SELECT min({quoted(parameters.column)}), … FROM {tables[0].name}")
            return {"low": low, "high": high}

Its module is named in DATASETS_EXTRA_KINDS. It is imported by web processes, for the parameters, and by the processes
that carry out analyses, where DuckDB is: import that within functions.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from datasets.engine.table import Table

BUILT_IN = (
    "datasets.kinds.schema",
    "datasets.kinds.profile",
    "datasets.kinds.timeseries",
    "datasets.kinds.swings",
    "datasets.kinds.compare",
    "datasets.kinds.query",
)

Progress = Callable[[float, str], None]
"""Is told the share that is done, 0 to 1, and what comes next in a few words."""

_Parameters = TypeVar("_Parameters", bound=Struct)


class Kind(ABC, Generic[_Parameters]):
    """`version` grows when results get another shape or other numbers; results of older versions are not used again.

    `takes_other`: its parameters may name a second dataset, as `other`, which is then the second table.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1
    Parameters: ClassVar[type[Struct]]
    takes_other: ClassVar[bool] = False

    @abstractmethod
    def run(self, tables: Sequence["Table"], parameters: _Parameters, progress: Progress) -> dict[str, Any]:
        """The result, as JSON has it (times as ISO 8601 texts, no NaN). Raises datasets.errors.Refused."""


_kinds: dict[str, Kind[Any]] = {}


def register(kind: type[Kind[Any]]) -> type[Kind[Any]]:
    _kinds[kind.name] = kind()
    return kind


def load(extra: Iterable[str] = ()) -> dict[str, Kind[Any]]:
    """All kinds by name, those of the modules `extra` too."""
    for module in (*BUILT_IN, *extra):
        import_module(module)
    return dict(_kinds)
