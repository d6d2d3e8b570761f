"""What `tail` writes of the feed's frames: a line an event, and a line for all that is not shown."""

from collections.abc import Iterator

import msgspec
from rich.text import Text

from monitor.client import Event, Events, Gap
from monitor.terminal.text import cut, printable, printable_json

WIDEST_COLUMN = 24
TIME_OF_DAY = slice(11, 23)  # of 2026-01-31T12:34:56.789Z


class JsonLines:
    """Events are the server's own text. `{"gap": …}` and `{"omitted": …}` stand for what is not there."""

    def lines(self, frame: Events | Gap, width: int | None) -> Iterator[Text]:
        if isinstance(frame, Gap):
            yield _json("gap", frame, reason=frame.reason)
            return
        if frame.omitted or frame.unchecked:
            yield _json("omitted", frame, omitted=frame.omitted, unchecked=frame.unchecked)
        for event in frame.events:
            yield Text(printable_json(bytes(event).decode()))


class HumanLines:
    """Columns grow with what they show."""

    def __init__(self) -> None:
        self._widths = [1, 1, 1]

    def lines(self, frame: Events | Gap, width: int | None) -> Iterator[Text]:
        """At most `width` cells each; None for no limit."""
        if isinstance(frame, Gap):
            yield Text(f"── {_missing(frame)} ──", "bold red")
            return
        if frame.omitted:
            yield Text(f"── {frame.omitted:,} events omitted ──", "yellow")
        if frame.unchecked:
            yield Text(f"── {frame.unchecked:,} events could not be checked against the filter ──", "yellow")
        for event in frame.read():
            yield self._line(event, width)

    def _line(self, event: Event, width: int | None) -> Text:
        names = [printable(name) if name else "-" for name in (event.stream, event.type, event.key)]
        self._widths = [max(old, min(len(name), WIDEST_COLUMN)) for old, name in zip(self._widths, names, strict=True)]
        line = Text().append(printable(event.received_at[TIME_OF_DAY]), "dim")
        for name, style, cells in zip(names, ("cyan", "green", "yellow"), self._widths, strict=True):
            line.append(f" {name:<{cells}}", style)
        payload = printable_json(bytes(event.payload).decode())
        if width is None:
            return line.append(f" {payload}")
        line.append(" " + cut(payload, max(width - line.cell_len - 1, 0)))
        line.truncate(width, overflow="ellipsis")
        return line


def _missing(gap: Gap) -> str:
    if gap.last < gap.first:
        return f"numbers begin again ({printable(gap.reason)}): how many events are missing is not known"
    return f"{gap.last - gap.first + 1:,} events missing: {printable(gap.reason)} ({gap.first} to {gap.last})"


def _json(name: str, frame: Events | Gap, **fields: object) -> Text:
    covered = {"epoch": frame.epoch, "from": frame.first, "to": frame.last}
    return Text(printable_json(msgspec.json.encode({name: {**covered, **fields}}).decode()))
