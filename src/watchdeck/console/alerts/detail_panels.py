"""The panels of one alert: its state and rule, and its story."""

from __future__ import annotations

from textual.reactive import reactive

from watchdeck.console.alerts.detail_lines import columns, entries, facts
from watchdeck.console.lines.line import Line, Role, Span, cut, wrap
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.lines.table import Table
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.widgets.list import List
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.alert_detail import AlertHistory
from watchdeck.domain.board.board import Change

_GONE = "this alert is over; its story is kept"

NamedAlert = reactive[ActiveAlert | None]
TheStory = reactive[AlertHistory | None]


class AlertPanel(Panel):
    """The state of one alert, why, by which rule, and who has it."""

    raised: NamedAlert = NamedAlert(None, repaint=False)
    story: TheStory = TheStory(None, repaint=False)
    written: reactive[int | None] = reactive[int | None](None, repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:
        """A rule and the facts."""
        fresh = DataAge(self.written, self.now, self.stale)
        if self.raised is None:
            return headed("alert", (), fresh, wrap(f" {_GONE}", cells, Role.MUTED), cells)
        body = facts(self.raised, self.story, self.now, cells, setting.zone)
        alert = self.raised.alert
        name = cut(f"{alert.rule} {alert.model}".strip(), cells - 30)
        return headed(name, (), fresh, body[: rows - 1], cells)

    def watch_raised(self) -> None:
        """The alert changed."""
        self.redraw()

    def watch_story(self) -> None:
        """Its story was read."""
        self.redraw()


class AlertHistoryList(List):
    """Everything that happened to an alert and was done about it."""

    story: TheStory = TheStory(None, repaint=False)
    alerts: reactive[tuple[ActiveAlert, ...]] = reactive[tuple[ActiveAlert, ...]]((), repaint=False)
    changes: reactive[tuple[Change, ...]] = reactive[tuple[Change, ...]]((), repaint=False)
    problem: reactive[str] = reactive("", repaint=False)

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells when the newest of it happened."""
        newest = max((entry.at for entry in self.table.rows), default=None)
        fresh = DataAge(newest, self.now, self.problem or self.stale)
        return headed("story", more, fresh, body, cells)

    def _tell(self) -> None:
        if self.setting is None:
            return
        rows = entries(self.story, self.alerts, self.changes) if self.story else ()
        keys = tuple(f"{row.at} {row.kind} {place}" for place, row in enumerate(reversed(rows)))
        empty = self.problem or "reading the story"
        self.table = Table(columns(self.setting.zone), rows, keys[::-1], empty)
        self.redraw()

    def watch_story(self) -> None:
        """It was read anew."""
        self._tell()

    def watch_alerts(self) -> None:
        """Others may be open."""
        self._tell()

    def watch_problem(self) -> None:
        """It cannot be read."""
        self._tell()

    def watch_setting(self) -> None:
        """The reader's clock is known."""
        super().watch_setting()
        self._tell()
