"""Telling the live feed what this process put into the buffer, from synchronous code; `ingest.announce` says how."""

import os
import threading
from collections.abc import Sequence

from django.conf import settings

from ingest import feed
from ingest.announce import AGAIN_SECONDS, Announcements, register
from ingest.envelope import Event
from ingest.gathering import Gathering
from ingest.pusher import Pushed


class Announcer:
    """One for each process, and one producer: what it pushes is announced NOTIFY_INTERVAL_MS later, or at `flush`."""

    def __init__(self) -> None:
        self.producer = feed.new_producer()
        self._announcements = Announcements(self.producer)
        self._gathering = Gathering()
        self._timer: threading.Timer | None = None
        self._gathers, self._announces = threading.Lock(), threading.Lock()
        register(self.producer)

    def add(self, stream: str, pushed: Pushed, events: Sequence[Event]) -> None:
        """Note events that were accepted into the buffer."""
        with self._gathers:
            self._gathering.add(stream, pushed, events)
            self._schedule(settings.NOTIFY_INTERVAL_SECONDS)

    def flush(self) -> None:
        """Announce what has gathered, now; what Redis does not take, in a while."""
        with self._announces:
            if self._announcements.unsent:
                self._announcements.make(Gathering())
            if not self._announcements.unsent:
                self._announcements.make(self._take())
            if self._announcements.unsent:
                with self._gathers:
                    self._schedule(AGAIN_SECONDS)

    def _take(self) -> Gathering:
        with self._gathers:
            gathering, self._gathering = self._gathering, Gathering()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            return gathering

    def _schedule(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._ring)
            self._timer.daemon = True
            self._timer.start()

    def _ring(self) -> None:
        with self._gathers:
            self._timer = None
        self.flush()


_lock = threading.Lock()
_announcer: Announcer | None = None


def announcer() -> Announcer:
    """That of this process."""
    global _announcer
    with _lock:
        if _announcer is None:
            _announcer = Announcer()
        return _announcer


def _forget() -> None:
    """In a process that was just forked: the producer is the parent's, and so is the thread."""
    global _announcer, _lock
    _announcer, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
