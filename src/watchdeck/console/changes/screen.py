"""What changed in the half hour before a moment, and why a model has its state."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult

from watchdeck.console.changes import lines as before
from watchdeck.console.changes.lines import LOOKBACK, ChangeEvent
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Role, Span, untrusted_text
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.relative_time import clock_time
from watchdeck.console.lines.table import Table
from watchdeck.console.state.messages import ModelOpened
from watchdeck.console.state.queries import FleetChanges, read_fleet_changes
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List


class EventList(List):
    """One row a change; over them, when a model is asked about, why it has its state."""

    def __init__(self, about: str, moment: int) -> None:
        super().__init__(id="events")
        self._about = about
        self._moment = moment
        self._events: tuple[ChangeEvent, ...] | None = None
        self._problem = ""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The models and the alerts."""
        return (state.models, state.alerts)

    def show_changes(self, events: tuple[ChangeEvent, ...], problem: str) -> None:
        """Show the events that were read, or why they cannot be read."""
        self._events, self._problem = events, problem
        self.rebuild()

    @property
    def subject(self) -> str:
        """The model of the row under the cursor, else the one that is asked about."""
        return (self.cursor or "").partition(" ")[2] or self._about

    def open_row(self) -> None:
        """Open the model of the row under the cursor."""
        if self.cursor is not None:
            self.post_message(ModelOpened(self.subject))

    def lead(self, state: ViewState) -> tuple[Line, ...]:
        """Health, reason, and the open alerts."""
        model = state.model(self._about)
        return before.reason_lines(model, state.alerts, state.now, self.size.width) if model else ()

    def heading(
        self, state: ViewState, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule names the moment before which the changes were."""
        at = clock_time(self._moment, state.settings.zone, "%b %d %H:%M:%S")
        name = (untrusted_text(f"{self._about}  ", Role.STRONG, 80),) if self._about else ()
        fresh = DataAge(None if self._events is None else state.now, state.now, state.stale)
        subject = f"changed in the 30 min before {at}"
        return panel_lines(subject, (*name, *more), fresh, body, cells)

    def rebuild(self) -> None:
        """List the events anew."""
        state = self.view_state
        if state is None:
            return
        model, zone = state.model(self._about), state.settings.zone
        found = before.event_rows(self._events or (), self._moment, zone, model, state.models)
        empty = "nothing changed" if self._events is not None else "reading what changed"
        names = tuple(f"{n} {row.event.endpoint}" for n, row in enumerate(found))
        columns = before.EVENT_COLUMNS if self._about else before.FLEET_COLUMNS
        self.table = Table(columns, found, names, self._problem or empty)
        self.redraw()


class RecentChangesScreen(BaseScreen, inherit_bindings=False):
    """The half hour before `moment` (ms UTC); `about` is a model's name, or empty."""

    WHERE = KeyScope.BEFORE
    BINDINGS = bindings(KeyScope.BEFORE)

    def __init__(self, state: ViewState, area: str, about: str, moment: int) -> None:
        self._about = about
        self._moment = moment
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The list has the whole screen."""
        yield EventList(self._about, self._moment).data_bind(BaseScreen.view_state)

    def on_mount(self) -> None:
        """Read what changed."""
        self.reload()

    def reload(self) -> None:
        """Read what changed."""
        names = tuple(model.facts.name for model in self.state.models)
        start, end = self._moment - LOOKBACK, self._moment + 1
        self.ask("changes", partial(read_fleet_changes, names, start, end), self.show_changes)

    def show_changes(self, found: FleetChanges | None, problem: str = "") -> None:
        """Show the changes that were read, or why they cannot be read."""
        changes = found or FleetChanges()
        events = before.change_events(changes.changes, changes.healths, self._moment - LOOKBACK)
        self.query_one(EventList).show_changes(events, problem)
