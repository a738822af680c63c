"""The screen of changes in the half hour before a moment, with the health of a model."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.geometry import Size

from watchdeck.console.changes import lines as before
from watchdeck.console.changes.lines import LOOKBACK, ChangeEvent, EventRow
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Role, Span, untrusted_text
from watchdeck.console.lines.panel_header import DataAge
from watchdeck.console.lines.relative_time import clock_time
from watchdeck.console.lines.table import Table
from watchdeck.console.state.messages import ModelOpened
from watchdeck.console.state.queries import FleetChanges, read_fleet_changes
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List, ListHeader, ListRows


class EventRows(ListRows[EventRow]):
    """The list of changes; above it the health and open alerts of the model `about`, if any."""

    name = "events"

    def __init__(self, about: str, moment: int) -> None:
        super().__init__()
        self._about = about
        self._moment = moment
        self.events: tuple[ChangeEvent, ...] | None = None
        """The events that were read; None until then."""
        self.problem = ""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The models and the alerts of the board: the list is rebuilt when one changes."""
        return (state.models, state.alerts)

    def subject(self, row: EventRow | None) -> str:
        """The name of the row's model; without a row the model `about`, which may be empty."""
        return (row.event.endpoint if row else "") or self._about

    def open_message(self, row: EventRow) -> ModelOpened:
        """The message that opens the screen of the row's model."""
        return ModelOpened(self.subject(row))

    def lead(self, state: ViewState, _row: EventRow | None, size: Size) -> tuple[Line, ...]:
        """Two lines with health and open alerts of the model `about`; none without that model."""
        model = state.model(self._about)
        return before.reason_lines(model, state.alerts, state.now, size.width) if model else ()

    def header(self, state: ViewState, shown: Span, _cells: int) -> ListHeader:
        """The header, with the model and the moment before which changes are listed."""
        at = clock_time(self._moment, state.settings.zone, "%b %d %H:%M:%S")
        name = (untrusted_text(f"{self._about}  ", Role.STRONG, 80),) if self._about else ()
        age = DataAge(None if self.events is None else state.now, state.now, state.stale)
        return ListHeader(f"changed in the 30 min before {at}", (*name, shown), age)

    def build(self, state: ViewState, _cells: int) -> Table[EventRow]:
        """The table of events; without any, a text that says why."""
        model, zone = state.model(self._about), state.settings.zone
        found = before.event_rows(self.events or (), self._moment, zone, model, state.models)
        empty = "nothing changed" if self.events is not None else "reading what changed"
        names = tuple(f"{n} {row.event.endpoint}" for n, row in enumerate(found))
        columns = before.EVENT_COLUMNS if self._about else before.FLEET_COLUMNS
        return Table(columns, found, names, self.problem or empty)


class RecentChangesScreen(BaseScreen, inherit_bindings=False):
    """The changes of all models in the half hour before `moment` (ms UTC).

    `about` is the model whose health and alerts are also shown; empty for none.
    """

    WHERE = KeyScope.BEFORE
    BINDINGS = bindings(KeyScope.BEFORE)

    def __init__(self, state: ViewState, area: str, about: str, moment: int) -> None:
        self._about = about
        self._moment = moment
        self._rows = EventRows(about, moment)
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The only panel: the list of changes."""
        yield List(self._rows).data_bind(BaseScreen.view_state)

    def on_mount(self) -> None:
        """Start to read the changes."""
        self.reload()

    def reload(self) -> None:
        """Read the changes again; they are shown when they arrive."""
        names = tuple(model.facts.name for model in self.state.models)
        start, end = self._moment - LOOKBACK, self._moment + 1
        self.ask("changes", partial(read_fleet_changes, names, start, end), self.show_changes)

    def show_changes(self, found: FleetChanges | None, problem: str = "") -> None:
        """Show the changes `found`; when it is None, show `problem`, the reason why."""
        changes = found or FleetChanges()
        start = self._moment - LOOKBACK
        self._rows.events = before.change_events(changes.changes, changes.healths, start)
        self._rows.problem = problem
        self.query_one(List).rebuild()
