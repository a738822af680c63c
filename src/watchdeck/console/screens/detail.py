"""One model: why it has its state, one signal over time, and all signals."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import reactive

from watchdeck.console.draw.chart import Window
from watchdeck.console.keys import Where, bindings
from watchdeck.console.messages import HistoryRead, HistoryWanted, RowReached, Wanted
from watchdeck.console.outlook import Outlook
from watchdeck.console.panels.detail import ChartPanel, Drawn, FactsPanel, SignalList
from watchdeck.console.screens.watching import Watching
from watchdeck.domain.board import Model

SPANS = (900_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000, 2_592_000_000)
"""How far a chart looks back, in milliseconds: 15 min, 1 h, 6 h, 24 h, 7 d, 30 d."""

FIRST_SPAN = SPANS[1]

POINTS = 240
"""A history is read in about so many points: two dots a cell on a wide terminal."""

FIRST_SIGNALS = ("latency_p95", "latency_mean", "request_rate", "availability")
"""The first of these that the model has is drawn first."""


class DetailScreen(Watching, inherit_bindings=False):
    """Everything that is known of one model."""

    WHERE = Where.DETAIL
    BINDINGS = bindings(Where.DETAIL)

    model: reactive[Model | None] = reactive[Model | None](None, repaint=False)
    drawn: reactive[Drawn | None] = reactive[Drawn | None](None, repaint=False)
    reasons: reactive[Mapping[str, str]] = reactive[Mapping[str, str]]({}, repaint=False)

    def __init__(self, outlook: Outlook, area: str, model_name: str) -> None:
        self._model_name = model_name
        self._span = FIRST_SPAN
        self._wanted: Wanted | None = None
        super().__init__(outlook, area)

    @property
    def view(self) -> str:
        """The model's name."""
        return self._model_name

    def take(self, outlook: Outlook) -> None:
        """The slice of this screen is one model."""
        super().take(outlook)
        self.model = next((m for m in self.models if m.facts.name == self._model_name), None)
        kind = self.model.latest.kind if self.model and self.model.latest else None
        self.reasons = outlook.reasons.get(kind or "", {})
        self._want_history()

    def panels(self) -> ComposeResult:
        """Facts over chart and signals; side by side where there is room."""
        bound = (Watching.now, Watching.stale, Watching.setting)
        yield FactsPanel(id="facts").data_bind(DetailScreen.model, *bound)
        with Container(id="body"):
            yield ChartPanel(id="chart").data_bind(DetailScreen.model, DetailScreen.drawn, *bound)
            yield SignalList(id="signals").data_bind(
                DetailScreen.model, DetailScreen.reasons, *bound
            )

    def on_mount(self) -> None:
        """Start on the signal that tells most."""
        signals = self.query_one(SignalList)
        latest = self.model.latest if self.model else None
        has = latest.signals if latest else {}
        first = next((name for name in FIRST_SIGNALS if name in has), None)
        signals.call_after_refresh(signals.go, first or FIRST_SIGNALS[0])

    @on(RowReached)
    def _chart_it(self) -> None:
        self._want_history()

    @on(HistoryRead)
    def _show_history(self, message: HistoryRead) -> None:
        if message.wanted == self._wanted:
            self._show(message.wanted, message)

    def _show(self, wanted: Wanted, read: HistoryRead | None) -> None:
        zone = self.setting.zone if self.setting else None
        window = Window(wanted.start, wanted.end, zone)
        history, problem = (read.history, read.problem) if read else (None, "")
        self.drawn = Drawn(wanted.column, window, self._span, history, problem)

    def _want_history(self) -> None:
        """Ask for the chart's points, once for each step that moves it by a column."""
        column = self.query_one(SignalList).cursor if self.is_mounted else None
        if column is None:
            return
        step = self._span // POINTS
        end = -(-self._moment() // step) * step
        wanted = Wanted(self._model_name, column, end - self._span, end, POINTS)
        if wanted != self._wanted:
            same = self._wanted is not None and _same_chart(self._wanted, wanted)
            self._wanted = wanted
            if not same:
                self._show(wanted, None)
            self.post_message(HistoryWanted(self, wanted))

    def _moment(self) -> int:
        board = self.sight.board
        return self.now if board is None or board.live else board.at

    def action_signal(self, by: int) -> None:
        """Draw the next or previous signal."""
        self.query_one(SignalList).action_move(by)

    def action_zoom(self, by: int) -> None:
        """Look back further, or closer."""
        place = SPANS.index(self._span) + by
        self._span = SPANS[max(0, min(len(SPANS) - 1, place))]
        self._want_history()

    def action_back(self) -> None:
        """Back to the list, as it was left."""
        self.dismiss()


def _same_chart(one: Wanted, other: Wanted) -> bool:
    """Whether only time moved: then the old picture stays until the new one is there."""
    return (one.column, one.end - one.start) == (other.column, other.end - other.start)
