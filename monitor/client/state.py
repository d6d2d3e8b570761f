"""What a feed is asked for, and how it stands with it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from monitor.client.coverage import Position


@dataclass(frozen=True, slots=True)
class Subscription:
    """What to see; the fields are those of a `sub` frame."""

    stream: str | None = None
    type: str | None = None
    filter: str | None = None
    max_rate: int | None = None
    since: Position | None = None
    mode: Literal["events", "stats"] = "events"


class Phase(StrEnum):
    CONNECTING = "connecting"
    CATCHING_UP = "catching up"
    LIVE = "live"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class State:
    """`reason`, of a wait or of falling behind; `pause_seconds`, of a wait."""

    phase: Phase
    reason: str = ""
    pause_seconds: float = 0.0

    def __str__(self) -> str:
        phase = f"{self.phase} {self.pause_seconds:.1f} s" if self.phase is Phase.WAITING else str(self.phase)
        return f"{phase}: {self.reason}" if self.reason else phase
