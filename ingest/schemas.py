"""JSON Schemas of streams, compiled. They come from whoever may manage a stream, so they reach nothing and stay
bounded.

References lead within the schema only: nothing is fetched, no file is read. Patterns are matched by an engine whose
time is linear in the text; look-around and back references are refused.
"""

import re
from typing import Any

import jsonschema_rs
import orjson

MOST_BYTES = 65_536
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class InvalidSchema(ValueError):
    """It is no JSON Schema, or one that is not taken here; the message says why."""


def compile_schema(schema: Any) -> jsonschema_rs.Validator:
    """Raises InvalidSchema."""
    if not isinstance(schema, dict):
        raise InvalidSchema("A JSON Schema is an object.")
    try:
        text = orjson.dumps(schema)
    except TypeError as error:  # a lone surrogate, or nested too deeply
        raise InvalidSchema(f"This cannot be written as JSON: {error}") from error
    if len(text) > MOST_BYTES:
        raise InvalidSchema(f"A schema has at most {MOST_BYTES} bytes.")
    if NUL.search(text):
        raise InvalidSchema("A schema cannot have the character \\u0000, which PostgreSQL does not keep.")
    try:
        return jsonschema_rs.validator_for(schema, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidSchema(f"Not a JSON Schema that can be used here: {reason}") from error
