"""JMESPath's interpreter, for rows that may be flat, and with a bound.

The path a.b that leads nowhere is the member named "a.b", as flattening makes them.

An expression of a few hundred characters could fill any memory: `[@,@]|[@,@]|…` doubles what it is given with every
step, and `join('',[@,@])|…` or nested to_string() do so with texts. So what an evaluation makes is counted, as large as
it would be if nothing in it were shared.
"""

from typing import Any

from jmespath.visitor import TreeInterpreter

MOST_BYTES = 33_554_432
REFERENCE_BYTES = 8
ENTRY_BYTES = 100


class TooMuch(ValueError):
    def __init__(self) -> None:
        super().__init__(f"it makes more than {MOST_BYTES >> 20} MiB of one row")


class Interpreter(TreeInterpreter):  # type: ignore[misc]
    """Raises TooMuch."""

    _left = MOST_BYTES

    def evaluate(self, tree: dict[str, Any], row: Any) -> Any:
        self._left = MOST_BYTES
        return self.visit(tree, row)

    def visit_subexpression(self, node: Any, value: Any) -> Any:
        found = super().visit_subexpression(node, value)
        parts = node["children"]
        if found is None and isinstance(value, dict) and all(part["type"] == "field" for part in parts):
            return value.get(".".join(part["value"] for part in parts))
        return found

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:
        return self._counted(super().visit_multi_select_list(node, value))

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:
        return self._counted(super().visit_multi_select_dict(node, value))

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        return self._counted(super().visit_function_expression(node, value))

    def visit_flatten(self, node: Any, value: Any) -> Any:
        return self._counted_list(super().visit_flatten(node, value))

    def visit_slice(self, node: Any, value: Any) -> Any:
        return self._counted_list(super().visit_slice(node, value))

    def visit_projection(self, node: Any, value: Any) -> Any:
        return self._counted_list(super().visit_projection(node, value))

    def visit_value_projection(self, node: Any, value: Any) -> Any:
        return self._counted_list(super().visit_value_projection(node, value))

    def visit_filter_projection(self, node: Any, value: Any) -> Any:
        return self._counted_list(super().visit_filter_projection(node, value))

    def _counted_list(self, made: list[Any] | None) -> list[Any] | None:
        """Its elements are parts of what was there or counted before."""
        self._count(REFERENCE_BYTES * len(made or ()))
        return made

    def _counted(self, made: Any) -> Any:
        waiting = [made]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str):
                self._count(len(value))
            elif isinstance(value, list):
                self._count(REFERENCE_BYTES * len(value))
                waiting += value
            elif isinstance(value, dict):
                self._count(ENTRY_BYTES * len(value))
                waiting += value.values()
        return made

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise TooMuch
