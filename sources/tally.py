"""What became of the rows of a run: counts, and samples of those that were left out."""

import threading
from collections import Counter
from typing import Any

from ingest.rendering import as_json
from sources.rows import Rejected

MOST_SAMPLES = 20
MOST_SAMPLE_CHARACTERS = 2000


class Tally:
    """`counts`: rows by what happened to them; `reasons`: rejected ones by step and code.

    Rows may be rejected in several threads; of the other counts each is one thread's.
    """

    def __init__(self) -> None:
        self._rejects = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.samples: list[dict[str, Any]] = []

    def reject(self, rejected: Rejected) -> None:
        with self._rejects:
            self._reject(rejected)

    def _reject(self, rejected: Rejected) -> None:
        self.counts["rejected"] += 1
        self.reasons[f"{rejected.step}: {rejected.code}"] += 1
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append(
                {
                    "step": rejected.step,
                    "code": rejected.code,
                    "detail": rejected.detail,
                    "row": shortened(rejected.row),
                }
            )

    def as_dict(self) -> dict[str, Any]:
        return {**self.counts, "reasons": dict(self.reasons)}


def shortened(value: object) -> str:
    """As JSON, cut off."""
    try:
        text = as_json(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    text = text.encode("utf-8", "replace").decode().replace("\x00", "\\u0000").replace("\\u0000", "\\\\u0000")
    return text if len(text) <= MOST_SAMPLE_CHARACTERS else f"{text[:MOST_SAMPLE_CHARACTERS]}…"
