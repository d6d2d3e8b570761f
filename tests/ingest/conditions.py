"""What a condition means, worked out in Python from docs/http-api.md and nothing else."""

import json
import re
from decimal import Decimal
from typing import Any

MISSING = object()
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def exact(text: str) -> Any:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def read(text: str) -> Any:
    if NUMBER.fullmatch(text):
        return Decimal(text)
    if text in ("true", "false", "null") or (text[:1] == '"' == text[-1:] and len(text) > 1):
        return exact(text)
    return text


def member(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, dict):
            value = value.get(name, MISSING)
        elif isinstance(value, list) and re.fullmatch("[0-9]+", name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return MISSING
    return value


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and not isinstance(one, list | dict) and bool(one == other)


def holds(payload: Any, path: list[str], operator: str, text: str) -> bool:
    found: Any = member(payload, path)
    value: Any = None if operator == "in" else read(text)
    if operator == "exists":
        return (found is not MISSING) is (text == "true")
    if operator in ("eq", "ne"):
        return same(found, value) is (operator == "eq")
    if operator == "in":
        return any(same(found, read(one)) for one in text.split(","))
    if operator == "contains":
        needle = value if isinstance(value, str) else text
        return (
            needle in found
            if isinstance(found, str)
            else isinstance(found, list) and any(same(one, value) for one in found)
        )
    if type(found) is not type(value) or not isinstance(value, str | Decimal):
        return False
    return bool({"gt": found > value, "gte": found >= value, "lt": found < value, "lte": found <= value}[operator])


def contains(one: Any, other: Any) -> bool:
    """As jsonb's @>, but for the exception that an array contains a scalar: objects only are asked for."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(name in one and contains(one[name], value) for name, value in other.items())
    if isinstance(one, list) and isinstance(other, list):
        return all(any(contains(element, value) for element in one) for value in other)
    return same(one, other)
