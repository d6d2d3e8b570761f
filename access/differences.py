"""What changed between two versions of something, without its secrets."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|token|authorization|cookie|credential|signature|"
    r"(api|access|private|account|shared|subscription|function)[-_. ]?key",
    re.IGNORECASE,
)
SECRET_PARAMETER = re.compile(r"^(key|auth|sig|pwd|pw|appid|x-key|code)$", re.IGNORECASE)
PARAMETERS = ("headers", "query")
USER_INFORMATION = re.compile(r"(?<=://)[^/?#@\s]*@")
PARAMETER = re.compile(r"(^|(?<=[?&]))([^?&=#\s]+)=([^&#\s]*)")
HIDDEN = "(hidden)"
MOST_CHARACTERS = 500
MOST_FIELDS = 50

Changes = dict[str, Any]
_MISSING = object()


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """By path, such as `definition.extract.url`: `{"old": …, "new": …}`; what was not there, or is gone, has one.

    Values of secret-like names are hidden, so are user names, passwords and such parameters in addresses; long values
    are cut, and past MOST_FIELDS the fields are only counted, as `…`.
    """
    before, after = _flat(_plain(old)), _flat(_plain(new))
    paths = [path for path in {**before, **after} if before.get(path, _MISSING) != after.get(path, _MISSING)]
    changes: Changes = {path: _change(path, before, after) for path in paths[:MOST_FIELDS]}
    if len(paths) > MOST_FIELDS:
        changes["…"] = f"{len(paths) - MOST_FIELDS} more"
    return changes


def shown(value: Any, name: str = "") -> Any:
    """The value without secrets, cut when it is long."""
    safe = _safe(_plain(value), name)
    text = safe if isinstance(safe, str) else json.dumps(safe, ensure_ascii=False)
    return safe if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def storable(value: Any) -> Any:
    """As jsonb takes it: no NUL, no half of a UTF-16 pair, no number that is none."""
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {storable(name): storable(member) for name, member in value.items()}
    return [storable(member) for member in value] if isinstance(value, list) else value


def _change(path: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    sides = (("old", before), ("new", after))
    return {side: shown(values[path], path) for side, values in sides if path in values}


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return json.loads(json.dumps(value, cls=_Encoder))


class _Encoder(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
        try:
            return super().default(value)
        except TypeError:
            return str(value)


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, member in value.items():
        if isinstance(member, dict) and member:
            flat.update(_flat(member, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = member
    return flat


def _safe(value: Any, path: str) -> Any:
    if value not in (None, "") and _is_secret(path.split(".")):
        return HIDDEN
    if isinstance(value, str):
        return _safe_text(value)
    if isinstance(value, list):
        return [_safe(member, "") for member in value]
    if isinstance(value, dict):
        return _safe_object(value)
    return value


def _safe_object(value: dict[str, Any]) -> dict[str, Any]:
    """`{"name": "X-Api-Key", "value": …}` hides the value too."""
    label = value.get("name")
    named = label if isinstance(label, str) else ""
    return {name: _safe(member, named if name == "value" else name) for name, member in value.items()}


def _is_secret(names: list[str]) -> bool:
    if any(SECRET_NAME.search(name) for name in names):
        return True
    return len(names) > 1 and names[-2] in PARAMETERS and bool(SECRET_PARAMETER.match(names[-1]))


def _safe_text(text: str) -> str:
    """User names and passwords of addresses, and parameters that look like secrets, are hidden."""
    if "=" not in text and "://" not in text:
        return text
    return PARAMETER.sub(_safe_parameter, USER_INFORMATION.sub(f"{HIDDEN}@", text))


def _safe_parameter(found: re.Match[str]) -> str:
    name = found[2]
    return f"{name}={HIDDEN}" if SECRET_NAME.search(name) or SECRET_PARAMETER.match(name) else found[0]
