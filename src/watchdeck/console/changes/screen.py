"""What changed in the half hour before a moment, and why a model has its state."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.reactive import reactive

from watchdeck.console.changes import lines as before
from watchdeck.console.changes.lines import BEFORE, ChangeEvent
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Role, Span, foreign_text
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.lines.relative_time import clock
from watchdeck.console.lines.table import Table
from watchdeck.console.state.messages import ChangesRequested, EventsRead, ModelOpened
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Model


class EventList(List):
    """One row a change; over them, when a model is asked about, why it has its state."""

    models: reactive[tuple[Model, ...]] = reactive[tuple[Model, ...]]((), repaint=False)
    alerts: reactive[tuple[ActiveAlert, ...]] = reactive[tuple[ActiveAlert, ...]]((), repaint=False)
    events: reactive[tuple[ChangeEvent, ...] | None] = reactive[tuple[ChangeEvent, ...] | None](
        None, repaint=False
    )
    problem: reactive[str] = reactive("", repaint=False)

    def __init__(self, about: str, moment: int) -> None:
        super().__init__(id="events")
        self._about = about
        self._moment = moment

    @property
    def _model(self) -> Model | None:
        return next((one for one in self.models if one.facts.name == self._about), None)

    def lead(self) -> tuple[Line, ...]:
        """Health, reason, and the open alerts."""
        model = self._model
        return before.why(model, self.alerts, self.now, self.size.width) if model else ()

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells the moment that counts."""
        zone = self.setting.zone if self.setting else None
        at = clock(self._moment, zone, "%b %d %H:%M:%S")
        whose = (foreign_text(f"{self._about}  ", Role.STRONG, 80),) if self._about else ()
        said_so = f"changed in the 30 min before {at}"
        fresh = DataAge(None if self.events is None else self.now, self.now, self.stale)
        return headed(said_so, (*whose, *more), fresh, body, cells)

    def watch_events(self) -> None:
        """The events were read."""
        self._list()

    def watch_problem(self) -> None:
        """They could not be read."""
        self._list()

    def watch_models(self) -> None:
        """A model changed."""
        self._list()

    def watch_alerts(self) -> None:
        """An alert changed."""
        self._list()

    def watch_setting(self) -> None:
        """The clock of the rows is known now."""
        super().watch_setting()
        self._list()

    def _list(self) -> None:
        zone = self.setting.zone if self.setting else None
        found = before.rows(self.events or (), self._moment, zone, self._model, self.models)
        empty = "nothing changed" if self.events is not None else "reading what changed"
        names = tuple(f"{n} {row.event.endpoint}" for n, row in enumerate(found))
        columns = before.COLUMNS if self._about else before.OF_ALL
        self.table = Table(columns, found, names, self.problem or empty)
        self.redraw()


class RecentChangesScreen(BaseScreen, inherit_bindings=False):
    """The half hour before `moment` (ms UTC); `about` is a model's name, or empty."""

    WHERE = KeyScope.BEFORE
    BINDINGS = bindings(KeyScope.BEFORE)

    def __init__(self, outlook: ViewState, area: str, about: str, moment: int) -> None:
        self._about = about
        self._moment = moment
        super().__init__(outlook, area)

    def panels(self) -> ComposeResult:
        """The list has the whole screen."""
        yield EventList(self._about, self._moment).data_bind(
            BaseScreen.models,
            BaseScreen.alerts,
            BaseScreen.now,
            BaseScreen.stale,
            BaseScreen.setting,
        )

    @property
    def subject(self) -> str:
        """The model of the row under the cursor, else the one that is asked about."""
        return (self.query_one(EventList).cursor or "").partition(" ")[2] or self._about

    def on_mount(self) -> None:
        """Ask for what changed."""
        self.again()

    def again(self) -> None:
        """Ask for what changed."""
        names = tuple(model.facts.name for model in self.models)
        self.post_message(ChangesRequested(self, names, self._moment - BEFORE, self._moment + 1))

    @on(EventsRead)
    def _show_events(self, message: EventsRead) -> None:
        listed = self.query_one(EventList)
        listed.problem = message.problem
        listed.events = before.events(message.changes, message.healths, self._moment - BEFORE)

    def action_open(self) -> None:
        """Open the model of the row under the cursor."""
        if self.query_one(EventList).cursor is not None:
            self.post_message(ModelOpened(self.subject))

    def action_back(self) -> None:
        """Back to where it was asked."""
        self.dismiss()
