"""An ASGI application: `/` is an answer without an end, `/parts` says how many parts of it were taken, `/fails` begins
an answer and fails, `/works` keeps a thread at work for a minute. It
says when it ends.
"""

import asyncio
import atexit
import time
from typing import Any

PART = b"x" * 65_536

taken = 0
atexit.register(print, "ended")


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global taken
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/fails":
        await send({"type": "http.response.body", "body": PART, "more_body": True})
        raise ValueError("on purpose")
    if scope["path"] == "/works":
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await asyncio.to_thread(time.sleep, 60)
    while scope["path"] == "/" and taken < 2_000:
        await send({"type": "http.response.body", "body": PART, "more_body": True})
        taken += 1
    await send({"type": "http.response.body", "body": str(taken).encode()})
