"""When to ask again: exponential backoff with jitter, or as the other side says."""

import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx2

RETRIED = frozenset({408, 425, 429, *range(500, 600)})
MOST_WAIT_SECONDS = 60.0
FIRST_WAIT_SECONDS = 0.5
MOST_BACKOFF_SECONDS = 30.0
MOST_DELAY_SECONDS = 86_400.0


def backoff_seconds(attempt: int, jitter: Callable[[], float]) -> float:
    """After attempt 1, 2, …: between half and all of a span that doubles. `jitter` is from 0 to 1."""
    span = min(MOST_BACKOFF_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
    return float(span * (0.5 + 0.5 * jitter()))


def retry_after_seconds(headers: httpx2.Headers, now: Callable[[], float] = time.time) -> float | None:
    """RFC 9110, section 10.2.3: seconds or a date; at most a day. None: not said, or not understood."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MOST_DELAY_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(0.0, aware.timestamp() - now()), MOST_DELAY_SECONDS)
