"""The chart of a model: several signals, what was promised, what changed, and what it was."""

from __future__ import annotations

from msgspec import Struct
from textual.reactive import reactive

from watchdeck.console.charts.chart import ChartData, chart, framed
from watchdeck.console.charts.comparison import ChartComparison
from watchdeck.console.charts.legend import QuantileBounds, change_line, legend
from watchdeck.console.charts.line_plot import LineSeries, LineStyle, TimeRange, points
from watchdeck.console.charts.signal_groups import limit, short
from watchdeck.console.lines.line import Line, Role, Span, wrap
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.lines.relative_time import ago, clock, short_duration
from watchdeck.console.state.messages import HistoryQuery, HistoryResult
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import Model
from watchdeck.domain.metrics.signal import SIGNALS

_LOOKS = (
    (LineStyle.SOLID, Role.CHART),
    (LineStyle.DASHED, Role.TEXT),
    (LineStyle.DASH_DOT, Role.ACCENT),
    (LineStyle.DOTTED, Role.TEXT),
)
"""Shape and role of the curves of a chart, the first one in front."""

_ROOMY = 12
"""From so many rows on a legend may take two of them."""


class ChartInput(Struct, frozen=True):
    """What the chart shows: what was asked for, and what was found, once it was read.

    `names` are the signals in the order of the columns; `cursor` is the time that is read.
    """

    wanted: HistoryQuery
    names: tuple[str, ...]
    found: HistoryResult | None = None
    problem: str = ""
    against: ChartComparison | None = None
    cursor: int | None = None


class ChartPanel(Panel):
    """One signal over time, beside those of its group or an earlier time."""

    model: reactive[Model | None] = reactive[Model | None](None, repaint=False)
    drawn: reactive[ChartInput | None] = reactive[ChartInput | None](None, repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:
        """A rule that names the signal and the window, and the chart."""
        latest = self.model.latest if self.model else None
        fresh = DataAge(latest.at if latest else None, self.now, self.stale)
        if self.drawn is None:
            return headed("chart", (), fresh, (), cells)
        body = self._body(self.drawn, setting, cells, rows - 1)
        return headed(self.drawn.names[0], self._more(self.drawn, setting), fresh, body, cells)

    def _more(self, drawn: ChartInput, setting: ViewSettings) -> tuple[Span, ...]:
        """The window, and the moment under the cursor."""
        span = Span(f"last {short_duration(drawn.wanted.end - drawn.wanted.start)}", Role.MUTED)
        if drawn.cursor is None:
            return (span,)
        form = "%H:%M:%S" if drawn.wanted.end - drawn.wanted.start < 86_400_000 else "%b %d %H:%M"
        at = clock(drawn.cursor, setting.zone, form)
        return (Span(f"{at} {ago(drawn.cursor, self.now)}  ", Role.STRONG), span)

    def _body(
        self, drawn: ChartInput, setting: ViewSettings, cells: int, rows: int
    ) -> tuple[Line, ...]:
        if drawn.found is None:
            words = drawn.problem or "reading the history"
            return wrap(f" {words}", cells, Role.WARNING if drawn.problem else Role.MUTED)
        picture = self._picture(drawn, setting)
        head = self._head(drawn.found, picture, setting, (cells, rows))
        return (*head, *chart(picture, cells, max(3, rows - len(head)), setting.dots))

    def _head(
        self, found: HistoryResult, picture: ChartData, setting: ViewSettings, size: tuple[int, int]
    ) -> tuple[Line, ...]:
        """The legend, and a change in words."""
        cells, rows = size
        across = framed(picture, cells, rows).across
        bounds = _bounds(found)
        named = legend(picture, across, cells, setting.dots, bounds)[: 2 if rows >= _ROOMY else 1]
        changed = change_line(found.changes, picture, across, self.now, cells)
        return (*named, *(changed if rows >= 7 else ()))

    def _picture(self, drawn: ChartInput, setting: ViewSettings) -> ChartData:
        wanted = drawn.wanted
        window = TimeRange(wanted.start, wanted.end, setting.zone)
        promise = limit(drawn.names, self.model.facts.slo) if self.model else None
        return ChartData(
            _curves(drawn, window),
            SIGNALS[drawn.names[0]].unit,
            window,
            promise[1] if promise else None,
            tuple(change.at for change in drawn.found.changes) if drawn.found else (),
            drawn.cursor,
        )

    @property
    def across(self) -> int:
        """How many cells the time has: as many steps the cursor needs from side to side."""
        if self.drawn is None or self.setting is None or not self.size.width:
            return 1
        return framed(self._picture(self.drawn, self.setting), *self.size).across

    def watch_model(self) -> None:
        """What was promised may have changed."""
        self.redraw()

    def watch_drawn(self) -> None:
        """A history was read, or another one is wanted, or the cursor moved."""
        self.redraw()


def _curves(drawn: ChartInput, window: TimeRange) -> tuple[LineSeries, ...]:
    """The signal and its group, or the signal and itself at an earlier time."""
    found = drawn.found
    by_name = {one.column: one for one in found.histories} if found else {}
    names = [name for name in drawn.names if name in by_name]
    if found and found.before is not None and drawn.against is not None:
        now = LineSeries(by_name[names[0]], names[0])
        return now, LineSeries(
            found.before, drawn.against.words, LineStyle.DOTTED, Role.ACCENT, False
        )
    shown = [n for n in names if n == names[0] or any(points(by_name[n], window))]
    return tuple(
        LineSeries(by_name[name], short(name, shown), *look, banded=not place)
        for place, (name, look) in enumerate(zip(shown, _LOOKS, strict=False))
    )


def _bounds(found: HistoryResult) -> QuantileBounds | None:
    by_name = {one.column: one for one in found.histories}
    first = found.histories[0].column
    low, high = by_name.get(f"{first}.low"), by_name.get(f"{first}.high")
    return QuantileBounds(low, high) if low and high else None
