"""One alert: why it fires, the chart at that moment, and everything that was done about it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import reactive

from watchdeck.console.alerts.action_screen import Handling
from watchdeck.console.alerts.detail_lines import charted
from watchdeck.console.alerts.detail_panels import AlertPanel, StoryList
from watchdeck.console.charts.panel import ChartPanel, Drawn
from watchdeck.console.input.keys import Where, bindings
from watchdeck.console.state.messages import (
    HistoryRead,
    HistoryWanted,
    ModelOpened,
    StoryRead,
    StoryWanted,
    Wanted,
)
from watchdeck.console.state.view_state import Outlook
from watchdeck.console.widgets.base_screen import Watching
from watchdeck.domain.alerts.alert import Raised
from watchdeck.domain.board.alert_detail import Story
from watchdeck.domain.board.board import Model
from watchdeck.domain.metrics.signal import SIGNALS

_AROUND = (45 * 60_000, 15 * 60_000)
"""How much time before and after the moment of firing the chart shows, in milliseconds."""

_POINTS = 240


class AlertScreen(Handling):
    """Everything that is known of one alert."""

    WHERE = Where.ALERT
    BINDINGS = bindings(Where.ALERT)

    raised: reactive[Raised | None] = reactive[Raised | None](None, repaint=False)
    story: reactive[Story | None] = reactive[Story | None](None, repaint=False)
    problem: reactive[str] = reactive("", repaint=False)
    model: reactive[Model | None] = reactive[Model | None](None, repaint=False)
    drawn: reactive[Drawn | None] = reactive[Drawn | None](None, repaint=False)

    def __init__(self, outlook: Outlook, area: str, episode: int) -> None:
        self._episode = episode
        self._asked: tuple[int | None, int] | None = None
        self._wanted: Wanted | None = None
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

    def take(self, outlook: Outlook) -> None:
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
        bound = (Watching.now, Watching.stale, Watching.setting)
        yield AlertPanel(id="alert").data_bind(
            AlertScreen.raised, AlertScreen.story, Watching.written, *bound
        )
        with Container(id="body"):
            yield ChartPanel(id="chart").data_bind(AlertScreen.model, AlertScreen.drawn, *bound)
            yield StoryList(id="story").data_bind(
                AlertScreen.story,
                AlertScreen.problem,
                Watching.alerts,
                Watching.changes,
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
                StoryWanted(self, self._episode, self.now if board.live else board.at)
            )

    @on(StoryRead)
    def _show_story(self, message: StoryRead) -> None:
        self.problem = message.problem
        if message.story is not None:
            self.story = message.story
            self._want_chart(message.story)

    def _want_chart(self, story: Story) -> None:
        signal, fired = charted(story), story.episode.since
        start, end = fired - _AROUND[0], min(fired + _AROUND[1], self.now)
        if signal is None or not story.alert.model:
            return
        bounded = (f"{signal}.low", f"{signal}.high") if SIGNALS[signal].bounded else ()
        wanted = Wanted(story.alert.model, (signal, *bounded), start, end, _POINTS)
        if wanted != self._wanted:
            self._wanted = wanted
            self.drawn = Drawn(wanted, (signal,), None, cursor=fired)
            self.post_message(HistoryWanted(self, wanted))

    @on(HistoryRead)
    def _show_history(self, message: HistoryRead) -> None:
        if message.wanted == self._wanted and self.drawn is not None:
            names, cursor = self.drawn.names, self.drawn.cursor
            self.drawn = Drawn(message.wanted, names, message.found, message.problem, cursor=cursor)

    def action_model(self) -> None:
        """Open the model that it is about."""
        if self.subject:
            self.post_message(ModelOpened(self.subject))

    def action_back(self) -> None:
        """Back to the list, as it was left."""
        self.dismiss()
