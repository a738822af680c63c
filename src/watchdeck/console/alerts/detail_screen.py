"""One alert: why it fires, the chart at that moment, and everything that was done about it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import reactive

from watchdeck.console.alerts.action_screen import AlertActionScreen
from watchdeck.console.alerts.detail_lines import charted_signal
from watchdeck.console.alerts.detail_panels import AlertHistoryList, AlertPanel
from watchdeck.console.charts.panel import ChartInput, ChartPanel
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.state.messages import (
    AlertHistoryRead,
    AlertHistoryRequested,
    HistoryQuery,
    HistoryRead,
    HistoryRequested,
    ModelOpened,
)
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.alert_detail import AlertHistory
from watchdeck.domain.board.board import Model
from watchdeck.domain.metrics.signal import SIGNALS

_AROUND = (45 * 60_000, 15 * 60_000)
"""How much time before and after the moment of firing the chart shows, in milliseconds."""

_POINTS = 240


class AlertScreen(AlertActionScreen):
    """Everything that is known of one alert."""

    WHERE = KeyScope.ALERT
    BINDINGS = bindings(KeyScope.ALERT)

    raised: reactive[ActiveAlert | None] = reactive[ActiveAlert | None](None, repaint=False)
    story: reactive[AlertHistory | None] = reactive[AlertHistory | None](None, repaint=False)
    problem: reactive[str] = reactive("", repaint=False)
    model: reactive[Model | None] = reactive[Model | None](None, repaint=False)
    drawn: reactive[ChartInput | None] = reactive[ChartInput | None](None, repaint=False)

    def __init__(self, outlook: ViewState, area: str, episode: int) -> None:
        self._episode = episode
        self._asked: tuple[int | None, int] | None = None
        self._wanted: HistoryQuery | None = None
        super().__init__(outlook, area)

    @property
    def view(self) -> str:
        """The rule and the model."""
        alert = self.raised.alert if self.raised else None
        return f"{alert.rule} {alert.model}".strip() if alert else f"episode {self._episode}"

    @property
    def chosen(self) -> tuple[int, ...]:
        """This episode, while it is open."""
        return (self._episode,) if self.raised and self.raised.episode.is_open else ()

    @property
    def remembered(self) -> tuple[int, ...]:
        """This episode, over or not."""
        return (self._episode,)

    @property
    def subject(self) -> str:
        """The model that it is about."""
        return self.raised.alert.model if self.raised else ""

    @property
    def about(self) -> tuple[str, int]:
        """What changed before it began."""
        if self.raised is None:
            return "", self.now
        return self.raised.alert.model, self.raised.episode.started_at

    def take(self, outlook: ViewState) -> None:
        """The slice of this screen is one alert."""
        super().take(outlook)
        found = (one for one in self.alerts if one.episode.id == self._episode)
        self.raised = next(found, None)
        self.model = next((m for m in self.models if m.facts.name == self.subject), None)
        self._want_story()

    def on_mount(self) -> None:
        """Read the story first."""
        self._want_story()

    def panels(self) -> ComposeResult:
        """State over chart and story; side by side where there is room."""
        bound = (BaseScreen.now, BaseScreen.stale, BaseScreen.setting)
        yield AlertPanel(id="alert").data_bind(
            AlertScreen.raised, AlertScreen.story, BaseScreen.written, *bound
        )
        with Container(id="body"):
            yield ChartPanel(id="chart").data_bind(AlertScreen.model, AlertScreen.drawn, *bound)
            yield AlertHistoryList(id="story").data_bind(
                AlertScreen.story,
                AlertScreen.problem,
                BaseScreen.alerts,
                BaseScreen.changes,
                *bound,
            )

    def _want_story(self) -> None:
        """Ask for the story, once for everything that was decided since."""
        board = self.sight.board
        if board is None or not self.is_mounted:
            return
        rev = self.raised.episode.rev if self.raised else 0
        asked = (board.state_at, rev)
        if asked != self._asked:
            self._asked = asked
            self.post_message(
                AlertHistoryRequested(self, self._episode, self.now if board.live else board.at)
            )

    @on(AlertHistoryRead)
    def _show_story(self, message: AlertHistoryRead) -> None:
        self.problem = message.problem
        if message.story is not None:
            self.story = message.story
            self._want_chart(message.story)

    def _want_chart(self, story: AlertHistory) -> None:
        signal, fired = charted_signal(story), story.episode.since
        start, end = fired - _AROUND[0], min(fired + _AROUND[1], self.now)
        if signal is None or not story.alert.model:
            return
        bounded = (f"{signal}.low", f"{signal}.high") if SIGNALS[signal].bounded else ()
        wanted = HistoryQuery(story.alert.model, (signal, *bounded), start, end, _POINTS)
        if wanted != self._wanted:
            self._wanted = wanted
            self.drawn = ChartInput(wanted, (signal,), None, cursor=fired)
            self.post_message(HistoryRequested(self, wanted))

    @on(HistoryRead)
    def _show_history(self, message: HistoryRead) -> None:
        if message.wanted == self._wanted and self.drawn is not None:
            names, cursor = self.drawn.names, self.drawn.cursor
            self.drawn = ChartInput(
                message.wanted, names, message.found, message.problem, cursor=cursor
            )

    def action_model(self) -> None:
        """Open the model that it is about."""
        if self.subject:
            self.post_message(ModelOpened(self.subject))

    def action_back(self) -> None:
        """Back to the list, as it was left."""
        self.dismiss()
