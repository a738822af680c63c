"""The alerts of a board as a list: on the deck the urgent ones, in their own mode all."""

from __future__ import annotations

from watchdeck.console.alerts.list_lines import (
    AlertGroup,
    AlertListRow,
    alert_columns,
    episodes_of,
    external_sources_line,
    filter_and_sort_alerts,
    members_of,
    row_key,
    state_counts,
)
from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Table
from watchdeck.console.state.messages import AlertOpened
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.filterable_list import FilterableList
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.filter import Filter, parse
from watchdeck.domain.board.filter_fields import ALERTS

_QUIET = "no alert is open, and none ended in the last quarter of an hour"


class AlertList(FilterableList):
    """The alerts, most urgent first; alerts with the same `owner` label form a group."""

    FILTER_HELP = (
        "rule  owner=risk  sev<=2  age>10m  unacked  muted  /pattern/  !not  one | other   Esc: all"
    )

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._folded: frozenset[str] = frozenset()

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The alerts."""
        return (*super().slices(state), state.alerts)

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """The list is redrawn when the age of the metrics or of an external source changes."""
        return (*super().ages(state), state.metrics_at, state.sources)

    @property
    def alerts(self) -> tuple[ActiveAlert, ...]:
        """All alerts."""
        return self.view_state.alerts if self.view_state else ()

    @property
    def total(self) -> int:
        """The number of all alerts."""
        return len(self.alerts)

    def read_filter(self, typed: str) -> Filter:
        """Read a filter of alerts. Raises FilterError."""
        return parse(typed, ALERTS)

    @property
    def match_count(self) -> int:
        """How many alerts match the filter: the line of a group is none of its own."""
        return len({one.episode.id for row in self.table.rows for one in members_of(row)})

    def lead(self, state: ViewState) -> tuple[Line, ...]:
        """How many alerts have which state, and how many are muted."""
        return (state_counts(state.alerts),)

    def heading(
        self, state: ViewState, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells how many there are, what is left out, and the age of the metrics."""
        fresh = DataAge(state.metrics_at, state.now, state.stale)
        count = self.match_count
        if "".join(span.text for span in more).isdecimal():
            more = (Span(str(count), Role.MUTED),)
        sources = external_sources_line(state.sources, state.now)
        words = (*more, *self.filter_words(count, cells), *sources)
        return panel_lines(self._title, words, fresh, body, cells)

    @property
    def marks(self) -> int:
        """How many alerts are marked: the line of a group is none of its own."""
        return len(self.episodes) if self.table.marked else 0

    @property
    def open_episodes(self) -> tuple[int, ...]:
        """The open episodes of the marked rows, else of the row under the cursor."""
        numbers = (number for row in self._chosen_rows for number in episodes_of(row))
        return tuple(dict.fromkeys(numbers))

    @property
    def episodes(self) -> tuple[int, ...]:
        """The same, open or ended; a group stands for its open episodes."""
        chosen = (
            episodes_of(row) if isinstance(row, AlertGroup) else (row.episode.id,)
            for row in self._chosen_rows
        )
        return tuple(dict.fromkeys(number for numbers in chosen for number in numbers))

    @property
    def _chosen_rows(self) -> list[AlertListRow]:
        keys = self.table.marked or {self.cursor}
        return [row for row in self.table.rows if row_key(row) in keys]

    @property
    def cursor_row(self) -> AlertListRow | None:
        """The row under the cursor."""
        keys = self.table.keys
        return self.table.rows[keys.index(self.cursor)] if self.cursor in keys else None

    @property
    def subject(self) -> str:
        """The model of the alert under the cursor."""
        row = self.cursor_row
        return "" if row is None or isinstance(row, AlertGroup) else row.alert.model

    def open_row(self) -> None:
        """Open the alert under the cursor; fold a group, or unfold it."""
        row = self.cursor_row
        if isinstance(row, AlertGroup):
            self.fold(row.owner)
        elif row is not None:
            self.post_message(AlertOpened(row.episode.id))

    def fold(self, owner: str) -> None:
        """Show the alerts of an owner in one line, or each in its own again."""
        self._folded ^= {owner}
        self.rebuild()

    def rebuild(self) -> None:
        """Sort and filter the alerts anew."""
        state = self.view_state
        if state is None:
            return
        rows = filter_and_sort_alerts(state.alerts, self.wanted, self._folded, state.now)
        keys = tuple(map(row_key, rows))
        marked = self.table.marked & frozenset(keys)
        owned = any(one.acknowledgement for one in state.alerts)
        shown = alert_columns(state.settings.dots, self.size.width, owned=owned)
        self.table = Table(shown, rows, keys, self._empty_words(state), marked)
        self.redraw()

    def _empty_words(self, state: ViewState) -> str:
        if state.stale:
            return ""
        return f"no alert matches /{self.typed}" if self.typed and state.alerts else _QUIET

    def on_resize(self) -> None:
        """There may be room for the strip of hours, or no more."""
        self.rebuild()
        super().on_resize()
