"""The alerts of a board as a list: on the deck the urgent ones, in their own mode all."""

from __future__ import annotations

from textual.reactive import reactive

from watchdeck.console.alerts.list_lines import (
    AlertGroup,
    AlertListRow,
    arranged,
    columns,
    counts,
    episodes_of,
    external_sources_line,
    key_of,
    members_of,
)
from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.lines.table import Table
from watchdeck.console.widgets.filterable_list import FilterableList
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.external.source import ExternalSource

_QUIET = "no alert is open, and none ended in the last quarter of an hour"


class AlertList(FilterableList):
    """The alerts, most urgent first; several of one owner stand under their group."""

    alerts: reactive[tuple[ActiveAlert, ...]] = reactive[tuple[ActiveAlert, ...]]((), repaint=False)
    sources: reactive[tuple[ExternalSource, ...]] = reactive[tuple[ExternalSource, ...]](
        (), repaint=False
    )
    written: reactive[int | None] = reactive[int | None](None, repaint=False)

    def __init__(self, title: str, *, counted: bool = True) -> None:
        super().__init__(title)
        self._counted = counted
        self._folded: frozenset[str] = frozenset()

    @property
    def total(self) -> int:
        """All alerts."""
        return len(self.alerts)

    def lead(self) -> tuple[Line, ...]:
        """How many alerts are how, and how many nobody hears of."""
        return (counts(self.alerts),) if self._counted else ()

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells how many there are, what is left out, and the age of what is judged."""
        fresh = DataAge(self.written, self.now, self.stale)
        shown = len({one.episode.id for row in self.table.rows for one in members_of(row)})
        if "".join(span.text for span in more).isdecimal():
            more = (Span(str(shown), Role.MUTED),)
        told = (*more, *self.told(shown, cells), *external_sources_line(self.sources, self.now))
        return headed(self._title, told, fresh, body, cells)

    @property
    def marks(self) -> int:
        """How many alerts are marked: the line of a group is none of its own."""
        return len(self.remembered) if self.table.marked else 0

    @property
    def chosen(self) -> tuple[int, ...]:
        """The open episodes that a verb is about: those marked, else those of the cursor's row."""
        return tuple(dict.fromkeys(number for row in self._meant for number in episodes_of(row)))

    @property
    def remembered(self) -> tuple[int, ...]:
        """The same, open or over; a group stands for what is open of it."""
        meant = (
            episodes_of(row) if isinstance(row, AlertGroup) else (row.episode.id,)
            for row in self._meant
        )
        return tuple(dict.fromkeys(number for numbers in meant for number in numbers))

    @property
    def _meant(self) -> list[AlertListRow]:
        keys = self.table.marked or {self.cursor}
        return [row for row in self.table.rows if key_of(row) in keys]

    @property
    def under_cursor(self) -> AlertListRow | None:
        """The row under the cursor."""
        keys = self.table.keys
        return self.table.rows[keys.index(self.cursor)] if self.cursor in keys else None

    def watch_alerts(self) -> None:
        """An alert changed."""
        self.rebuild()

    def rebuild(self) -> None:
        """Arrange the alerts anew."""
        if self.setting is None:
            return
        rows = arranged(self.alerts, self.wanted, self._folded, self.now)
        keys = tuple(map(key_of, rows))
        marked = self.table.marked & frozenset(keys)
        owned = any(one.acknowledgement for one in self.alerts)
        self.table = Table(
            columns(self.setting.dots, self.size.width, owned=owned),
            rows,
            keys,
            self._empty(),
            marked,
        )
        self.redraw()

    def _empty(self) -> str:
        if self.stale:
            return ""
        return f"no alert matches /{self.typed}" if self.typed and self.alerts else _QUIET

    def fold(self, owner: str) -> None:
        """Show the alerts of an owner in one line, or each in its own again."""
        self._folded ^= {owner}
        self.rebuild()

    def watch_sources(self) -> None:
        """Another system was heard."""
        self.redraw()

    def watch_setting(self) -> None:
        """Shapes may be others."""
        super().watch_setting()
        self.rebuild()

    def on_resize(self) -> None:
        """There may be room for the strip of hours, or no more."""
        self.rebuild()
        super().on_resize()

    def watch_written(self) -> None:
        """Something newer was judged."""
        self.redraw()
