"""Mode 3: every alert, most urgent first, and what can be done about each."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from watchdeck.console.draw.alerts import Group
from watchdeck.console.keys import Where, bindings
from watchdeck.console.messages import AlertOpened, FilterAsked
from watchdeck.console.panels.alerts import AlertList
from watchdeck.console.panels.prompt import Hint, Prompt
from watchdeck.console.screens.handling import Handling
from watchdeck.console.screens.watching import Watching
from watchdeck.domain.filter import EVERYTHING, Filter, FilterError, matches, parse
from watchdeck.domain.filtered import ALERTS, FilteredAlert

FILTER = "/"
"""The sign of the line that a filter is typed on."""

_HELP = "rule  owner=risk  sev<=2  age>10m  unacked  muted  /pattern/  !not  one | other   Esc: all"


class AlertsScreen(Handling):
    """The list of alerts on the whole screen."""

    WHERE = Where.ALERTS
    BINDINGS = bindings(Where.ALERTS)

    def panels(self) -> ComposeResult:
        """The list."""
        yield AlertList("alerts").data_bind(
            Watching.alerts,
            Watching.sources,
            Watching.written,
            Watching.now,
            Watching.stale,
            Watching.setting,
        )

    @property
    def chosen(self) -> tuple[int, ...]:
        """The marked episodes, else the one under the cursor."""
        return self.query_one(AlertList).chosen

    @property
    def remembered(self) -> tuple[int, ...]:
        """The marked episodes, else the one under the cursor, over or not."""
        return self.query_one(AlertList).remembered

    @property
    def subject(self) -> str:
        """The model of the alert under the cursor."""
        row = self.query_one(AlertList).under_cursor
        return "" if row is None or isinstance(row, Group) else row.alert.model

    @property
    def about(self) -> tuple[str, int]:
        """What changed before the alert under the cursor began."""
        row = self.query_one(AlertList).under_cursor
        if row is None or isinstance(row, Group):
            return "", self.now
        return row.alert.model, row.episode.started_at

    def _do(self, verb: str, text: str = "") -> None:
        """The cursor stays on the alert, wherever that goes: a second press is not for another."""
        listed = self.query_one(AlertList)
        if listed.cursor is not None:
            listed.go(listed.cursor)
        super()._do(verb, text)

    def action_open(self) -> None:
        """Open the alert under the cursor; fold a group, or unfold it."""
        row = self.query_one(AlertList).under_cursor
        if isinstance(row, Group):
            self.query_one(AlertList).fold(row.owner)
        elif row is not None:
            self.post_message(AlertOpened(row.episode.id))

    @on(FilterAsked)
    def _ask_for_filter(self) -> None:
        """The list follows every letter that is typed."""
        typed = self.query_one(AlertList).typed
        self.ask(Prompt(FILTER, typed, self.history(FILTER)))

    @on(Prompt.Changed)
    def _try(self, message: Prompt.Changed) -> None:
        typed = message.text.strip()
        wanted = self._read(message) if message.prompt.sign == FILTER else None
        if wanted is None:
            return
        self.query_one(AlertList).want(wanted, typed)
        count = sum(matches(wanted, FilteredAlert(one, self.now)) for one in self.alerts)
        message.prompt.hint(Hint(f"{count} of {len(self.alerts)}" if typed else _HELP))

    @on(Prompt.Done)
    def _keep(self, message: Prompt.Done) -> None:
        wanted = self._read(message) if message.prompt.sign == FILTER else None
        if wanted is not None:
            self.query_one(AlertList).want(wanted, message.text.strip())
            self.remember(FILTER, message.text.strip())
            self.unask()

    @on(Prompt.Left)
    def _show_all(self, message: Prompt.Left) -> None:
        if message.prompt.sign == FILTER:
            self.query_one(AlertList).want(EVERYTHING, "")
            self.unask()

    def _read(self, message: Prompt.Changed | Prompt.Done) -> Filter | None:
        """The filter that is typed; None when it cannot be read, and its hint says where."""
        try:
            return parse(message.text.strip(), ALERTS)
        except FilterError as error:
            message.prompt.hint(Hint(str(error), error.position))
            return None
