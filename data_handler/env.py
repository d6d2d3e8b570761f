"""Reading the environment: typed, with file secrets, failing at boot with the variable's name.

Every variable is a row of `data_handler.options.OPTIONS`; asking for one that has no row is a programming error.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class Option:
    """One environment variable: what it is called, what it is when unset, and what it does."""

    name: str
    default: str
    help: str
    group: str = ""


@dataclass(slots=True)
class Env:
    """Typed access to the variables that `options` declares.

    `NAME_FILE` may point at a file that holds the value of `NAME` (Docker and Kubernetes secrets).
    Raises ImproperlyConfigured, naming the variable, for a value that does not parse.
    """

    options: tuple[Option, ...]
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def text(self, name: str) -> str:
        option = next(option for option in self.options if option.name == name)
        if value := self.variables.get(name):
            return value
        if path := self.variables.get(f"{name}_FILE"):
            return _read_secret(f"{name}_FILE", path)
        return option.default

    def words(self, name: str) -> list[str]:
        """Comma-separated words."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value in TRUE_WORDS:
            return True
        if value in FALSE_WORDS:
            return False
        raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no: use 1 or 0.")

    def integer(self, name: str, *, at_least: int = 0, at_most: float = inf) -> int:
        return int(self.number(name, at_least=at_least, at_most=at_most, whole=True))

    def number(self, name: str, *, at_least: float = 0, at_most: float = inf, whole: bool = False) -> float:
        value = self.text(name)
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            kind = "a whole number" if whole else "a number"
            raise ImproperlyConfigured(f"{name}={value!r} is not {kind}.") from None
        if not at_least <= number <= at_most:
            bounds = f"at least {at_least}" if at_most == inf else f"{at_least} to {at_most}"
            raise ImproperlyConfigured(f"{name}={value!r} is out of bounds: {bounds}.")
        return number


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}={path!r} cannot be read: {error.strerror}.") from error
