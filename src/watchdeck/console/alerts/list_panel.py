"""The list of all alerts, with groups that can be folded."""

from __future__ import annotations

from msgspec.structs import replace
from textual.geometry import Size

from watchdeck.console.alerts.list_lines import (
    AlertGroup,
    AlertListRow,
    alert_columns,
    episodes_of,
    external_sources_line,
    members_of,
    row_key,
    sort_alerts,
    state_counts,
)
from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.lines.table import Table
from watchdeck.console.state.messages import AlertOpened
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import ChosenAlerts
from watchdeck.console.widgets.filterable_list import FilterableList, FilterableRows
from watchdeck.console.widgets.list import ListHeader
from watchdeck.domain.board.filter_fields import ALERTS, filter_alerts


class AlertRows(FilterableRows[AlertListRow]):
    """The alerts, most urgent first; alerts with the same `owner` label form a group."""

    NOUN = "alert"
    VOCABULARY = ALERTS
    FILTER_HELP = (
        "rule  owner=risk  sev<=2  age>10m  unacked  muted  !not  one | other  @saved   Esc: all"
    )
    EMPTY = "no alert is open, and none ended in the last quarter of an hour"

    def __init__(self) -> None:
        super().__init__("alerts")
        self.folded: frozenset[str] = frozenset()
        """Owners whose alerts are shown in one line."""

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """Whether the board is stale, its alerts, and with a filter its models: they rebuild it."""
        return (*super().slices(state), state.alerts, state.models if self.typed else ())

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """Also the external sources, which the header shows: a change redraws the list."""
        return (*super().ages(state), state.sources)

    def build(self, state: ViewState, cells: int) -> Table[AlertListRow]:
        """The table of matching alerts, sorted; a row that is no longer shown loses its mark."""
        self.total = len(state.alerts)
        found = filter_alerts(state.alerts, self.wanted, state.models, state.now)
        rows = sort_alerts(found, self.folded)
        keys = tuple(map(row_key, rows))
        owned = any(one.acknowledgement for one in state.alerts)
        columns = alert_columns(state.settings.dots, cells, owned=owned)
        marked = self.table.marked & frozenset(keys)
        return Table(columns, rows, keys, self.empty_text(state), marked)

    def unfiltered_text(self, state: ViewState) -> str:
        """How many alerts are open: `4 are open`."""
        count = sum(one.episode.is_open for one in state.alerts)
        return f"{count} {'is' if count == 1 else 'are'} open"

    @property
    def match_count(self) -> int:
        """The number of alerts that match the filter; rows of groups are not counted."""
        return len({one.episode.id for row in self.table.rows for one in members_of(row)})

    @property
    def mark_count(self) -> int:
        """The number of marked alerts; a marked group counts as its open alerts."""
        return len(self.choose(None).all)

    def lead(self, state: ViewState, _row: AlertListRow | None, _size: Size) -> tuple[Line, ...]:
        """One line with the number of alerts in each state, and of muted ones."""
        return (state_counts(state.alerts),)

    def header(self, state: ViewState, shown: Span, cells: int) -> ListHeader:
        """The header, with the external sources; it counts alerts, not groups."""
        if shown.text.isdecimal():
            shown = Span(str(self.match_count), Role.MUTED)
        header = super().header(state, shown, cells)
        sources = external_sources_line(state.sources, state.now)
        return replace(header, more=(*header.more, *sources))

    def choose(self, cursor: str | None) -> ChosenAlerts:
        """The episodes of the marked rows; without marks, of the row with the key `cursor`.

        The row of a group stands for all open episodes in the group.
        """
        keys = self.table.marked or {cursor}
        rows = [row for row in self.table.rows if row_key(row) in keys]
        opened = dict.fromkeys(number for row in rows for number in episodes_of(row))
        every = dict.fromkeys(
            number
            for row in rows
            for number in (episodes_of(row) if isinstance(row, AlertGroup) else (row.episode.id,))
        )
        return ChosenAlerts(tuple(opened), tuple(every))

    def subject(self, row: AlertListRow | None) -> str:
        """The name of the alert's model; empty for a group, or without a row."""
        return "" if row is None or isinstance(row, AlertGroup) else row.alert.model

    def open_message(self, row: AlertListRow) -> AlertOpened | None:
        """The message that opens the screen of the row's alert; None for a group."""
        return None if isinstance(row, AlertGroup) else AlertOpened(row.episode.id)


class AlertList(FilterableList[AlertRows]):
    """A list of alerts whose groups can be folded."""

    def fold(self, owner: str) -> None:
        """Hide the alerts of the group with this `owner` label; if hidden, show them again."""
        self.rows.folded ^= {owner}
        self.rebuild()

    def open_row(self) -> None:
        """Open the alert under the cursor; on a group, hide its alerts or show them again."""
        if isinstance(self.row, AlertGroup):
            self.fold(self.row.owner)
        else:
            super().open_row()

    def on_resize(self) -> None:
        """Build the list again: on a wide terminal it has a column of the last 24 hours."""
        self.rebuild()
        super().on_resize()
