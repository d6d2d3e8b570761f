"""JSON Schemas of streams, compiled. They come from whoever may manage a stream, so they reach nothing and stay
bounded.

References lead within the schema only: nothing is fetched, no file is read. Patterns are matched by an engine whose
time is linear in the text; look-around and back references are refused.
"""

from typing import Any

import jsonschema_rs
import orjson

MOST_BYTES = 65_536


class InvalidSchema(ValueError):
    """It is no JSON Schema, or one that is not taken here; the message says why."""


def compile_schema(schema: Any) -> jsonschema_rs.Validator:
    """Raises InvalidSchema."""
    if not isinstance(schema, dict):
        raise InvalidSchema("A JSON Schema is an object.")
    if len(orjson.dumps(schema)) > MOST_BYTES:
        raise InvalidSchema(f"A schema has at most {MOST_BYTES} bytes.")
    try:
        return jsonschema_rs.validator_for(schema, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidSchema(f"Not a JSON Schema that can be used here: {reason}") from error
