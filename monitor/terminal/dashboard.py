"""How the figures look: tables of streams and types, and totals."""

from collections.abc import Iterator, Mapping

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.client import State, Stats
from monitor.client.frames import Lag
from monitor.terminal.figures import KEPT_REPORTS, Figures, Histories, Name, sparkline
from monitor.terminal.text import cut, printable

LONGEST_NAME = 32
UNKNOWN = "–"
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def dashboard(figures: Figures, url: str, state: State | None = None) -> RenderableType:
    """`state`: how the connection stands, if that is worth a word."""
    title = Text.assemble(("Data Handler", "bold"), f"  {url}", f"  {printable(str(state))}" if state else "")
    if figures.latest is None:
        return title
    stats = figures.latest
    streams = _table("stream", figures.streams, {line.stream: line.per_second for line in stats.by_stream})
    types = _table("type", figures.types, {line.type: line.per_second for line in stats.by_type})
    tables = Columns([streams, types], padding=(1, 4))  # one below the other where the terminal is narrow
    warnings = [Text(f"! {warning}", "bold red") for warning in figures.warnings()]
    return Group(title, *warnings, "", _totals(figures, stats), "", tables)


def _totals(figures: Figures, stats: Stats) -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    for name, value, remark in _total_rows(figures, stats):
        table.add_row(name, value, remark)
    return table


def _total_rows(figures: Figures, stats: Stats) -> Iterator[tuple[str, str, str]]:
    peak = max(figures.received, default=0.0)
    history = sparkline(figures.received, peak) if peak else ""
    yield "received", _number(stats.received.total), f"{stats.received.per_second:,.1f}/s  {history}"
    yield "stored", _number(stats.stored), ""
    if stats.buffered is None:
        yield "buffered", UNKNOWN, ""
    else:
        remark = f"{_size(stats.buffered.bytes)}, oldest {_seconds(stats.buffered.oldest_age_seconds)}"
        yield "buffered", _number(stats.buffered.events), remark
    yield "duplicates", _number(stats.duplicates), ""
    yield "dead letters", _number(stats.dead), ""
    lag = stats.lag_ms or Lag(None, None)
    yield "lag p50", _milliseconds(lag.p50), "from acceptance to storage"
    yield "lag p99", _milliseconds(lag.p99), ""


def _table(title: str, histories: Histories, rates: Mapping[Name, float]) -> Table:
    """Fastest first; who is quiet now keeps a line as long as there is a history."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title, no_wrap=True, min_width=len(title))
    table.add_column("events/s", justify="right", no_wrap=True)
    table.add_column(f"last {KEPT_REPORTS} s", width=KEPT_REPORTS, no_wrap=True)
    names = sorted({*histories, *rates}, key=lambda name: (-rates.get(name, 0.0), name or ""))
    peak = max((max(histories[name], default=0.0) for name in names), default=0.0)
    for name in names:
        shown = UNKNOWN if name is None else cut(printable(name), LONGEST_NAME)
        history = sparkline(histories[name], peak) if peak else ""
        table.add_row(Text(shown), f"{rates.get(name, 0.0):,.1f}", Text(history, "cyan"))
    return table


def _number(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def _milliseconds(milliseconds: float | None) -> str:
    return UNKNOWN if milliseconds is None else f"{milliseconds:,.0f} ms"


def _seconds(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else f"{seconds:,.1f} s"


def _size(bytes: int) -> str:
    size, unit = float(bytes), 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:,.1f} {UNITS[unit]}" if unit else f"{bytes} B"
