"""The ingestion endpoint in the API's description: it is no Django view, so it is described by hand."""

from typing import Any

JSON_ERROR = {
    "type": "object",
    "required": ["error", "detail", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "A stable code that programs can match."},
        "detail": {"type": "string", "description": "What was wrong and what to do."},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/EventError"}},
    },
}
EVENT_ERROR = {
    "type": "object",
    "properties": {
        "index": {"type": "integer", "description": "Place of the event in the request, from 0."},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
ACKNOWLEDGEMENT = {
    "type": "object",
    "description": "`id` for a single event, counts for a batch; `stored`, `duplicates`, `dead` after `Prefer: wait`.",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "accepted": {"type": "integer"},
        "rejected": {"type": "integer"},
        "errors": {"type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/EventError"}},
        "warnings": {"type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/EventError"}},
        "ids": {"type": "array", "items": {"type": ["string", "null"], "format": "uuid"}},
        "stored": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "dead": {"type": "integer"},
    },
}
REFUSALS = {
    "400": "Not parseable, empty, or all events rejected",
    "401": "No key, or one that is unknown, revoked or expired",
    "403": "The key may not write this stream",
    "413": "Too large, compressed or not, or too many events",
    "415": "Unknown content type or encoding",
    "429": "The key's quota is used up",
    "503": "Buffer full or unreachable, or the process is shutting down",
}
OBJECT = {"type": "object", "additionalProperties": True}
LINES = {"schema": {"type": "string", "description": "One JSON object a line."}}


def describe_ingestion(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's hook: add POST to the two paths whose GET is described already."""
    schemas = result["components"]["schemas"]
    schemas.update(Error=JSON_ERROR, EventError=EVENT_ERROR, Acknowledgement=ACKNOWLEDGEMENT)
    stream = {"in": "path", "name": "stream", "required": True, "schema": {"type": "string"}}
    result["paths"]["/api/events/"]["post"] = _operation("events_create", [])
    result["paths"]["/api/streams/{stream}/events/"]["post"] = _operation("stream_events_create", [stream])
    return result


def _operation(name: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    headers = [
        _header("Idempotency-Key", "The client's own id of a single event; overrides the one in the payload."),
        _header("Prefer", "wait=N: answer after the commit, at most N seconds (else 202)."),
        _header("Content-Encoding", "gzip, deflate or zstd"),
    ]
    ids = {
        "in": "query",
        "name": "ids",
        "schema": {"type": "boolean"},
        "description": "1: list the ids of a batch.",
    }
    return {
        "operationId": name,
        "tags": ["events"],
        "summary": "Send events",
        "description": 'One object, an array, `{"batch": […]}`, NDJSON, or CloudEvents 1.0 in its three modes.'
        " Without a stream: the key's only one, else `default`.",
        "parameters": [*parameters, *headers, ids],
        "requestBody": {"required": True, "content": _bodies()},
        "security": [{"ApiKey": []}, {"cookieAuth": []}],
        "responses": {
            "202": _answer(
                "In the buffer, fsynced; each event is then stored once or kept as a dead letter",
                "Acknowledgement",
            ),
            "200": _answer("Stored (with Prefer: wait)", "Acknowledgement"),
            **{status: _answer(text, "Error") for status, text in REFUSALS.items()},
        },
    }


def _bodies() -> dict[str, Any]:
    array = {"type": "array", "items": OBJECT}
    batch = {"type": "object", "required": ["batch"], "properties": {"batch": array}}
    return {
        "application/json": {
            "schema": {"oneOf": [OBJECT, array, batch]},
            "example": {"type": "reading", "device": "sensor-1", "temperature": 21.5},
        },
        "application/x-ndjson": LINES,
        "application/cloudevents+json": {"schema": OBJECT},
        "application/cloudevents-batch+json": {"schema": array},
    }


def _header(name: str, description: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "schema": {"type": "string"}, "description": description}


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}
