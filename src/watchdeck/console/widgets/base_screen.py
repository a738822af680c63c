"""What every screen is: a frame, panels, and the outlook cut into the slices they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.reactive import reactive
from textual.widget import Widget

from watchdeck.console.input.commands import (
    COMMANDS,
    Command,
    CommandError,
    CompletionContext,
    completions,
    hint,
    parse,
)
from watchdeck.console.input.keys import KeyScope
from watchdeck.console.input.time_cursor import PastOffset
from watchdeck.console.input.time_parser import EXAMPLES
from watchdeck.console.lines.relative_time import clock, offset
from watchdeck.console.state.board_source import BoardSnapshot, stale_reason
from watchdeck.console.state.messages import CommandEntered, CommandLineRequested, SeekRequested
from watchdeck.console.state.trends import Sparkline
from watchdeck.console.state.view_state import ViewSettings, ViewState
from watchdeck.console.theme.layouts import LAYOUTS
from watchdeck.console.theme.themes import themes
from watchdeck.console.widgets.chrome import Banner, Footer, TooSmall, TopBar
from watchdeck.console.widgets.prompt import Hint, Prompt
from watchdeck.console.widgets.zoom_screen import ZoomableScreen
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Change, Collector, Model
from watchdeck.domain.board.presence import Presence
from watchdeck.domain.external.source import ExternalSource

_REMEMBERED = 100
"""Lines that come back with the up key."""

STEP = 60_000
"""A step through time, in milliseconds."""

SEEK = "@"
"""The sign of the line that a time is typed on."""

COMMAND = ":"
"""The sign of the line that a command is typed on."""


def offered(app: App[Any]) -> tuple[Command, ...]:
    """The commands that this app can do."""
    return tuple(one for one in COMMANDS if hasattr(app, f"command_{one.action}"))


class BaseScreen(ZoomableScreen, inherit_bindings=False):
    """A screen that shows an outlook; it rests while another screen is in view.

    `area` is the mode it belongs to: a model opened from the deck is still part of the deck.
    """

    WHERE: ClassVar[KeyScope]

    setting: reactive[ViewSettings | None] = reactive[ViewSettings | None](None, repaint=False)
    sight: reactive[BoardSnapshot] = reactive(BoardSnapshot(), repaint=False)
    now: reactive[int] = reactive(0, repaint=False)
    notice: reactive[str] = reactive("", repaint=False)
    stale: reactive[str] = reactive("", repaint=False)
    written: reactive[int | None] = reactive[int | None](None, repaint=False)
    models: reactive[tuple[Model, ...]] = reactive[tuple[Model, ...]]((), repaint=False)
    collector: reactive[Collector | None] = reactive[Collector | None](None, repaint=False)
    alerts: reactive[tuple[ActiveAlert, ...]] = reactive[tuple[ActiveAlert, ...]]((), repaint=False)
    sources: reactive[tuple[ExternalSource, ...]] = reactive[tuple[ExternalSource, ...]](
        (), repaint=False
    )
    changes: reactive[tuple[Change, ...]] = reactive[tuple[Change, ...]]((), repaint=False)
    trends: reactive[Mapping[str, Sparkline]] = reactive[Mapping[str, Sparkline]]({}, repaint=False)
    others: reactive[tuple[Presence, ...]] = reactive[tuple[Presence, ...]]((), repaint=False)
    past: reactive[PastOffset | None] = reactive[PastOffset | None](None, repaint=False)

    def __init__(self, outlook: ViewState, area: str) -> None:
        super().__init__()
        self._before: Widget | None = None
        self.area = area
        self.take(outlook)

    def take(self, outlook: ViewState) -> None:
        """Show this outlook: each slice reaches only the panels that are bound to it."""
        board = outlook.sight.board
        self.setting = outlook.setting
        self.sight = outlook.sight
        self.now = outlook.now
        self.notice = outlook.notice
        self.stale = stale_reason(outlook.sight)
        self.trends = outlook.trends
        self.others = outlook.others
        self._typed = outlook.typed
        self.past = outlook.past
        if board is not None:
            self.written = board.metrics_at
            self.models = board.models
            self.collector = board.collector
            self.changes = board.changes
            self.alerts = board.alerts
            self.sources = board.sources

    @property
    def step(self) -> int:
        """How far (ms) a step through time goes on this screen."""
        return STEP

    def watch_setting(self) -> None:
        """The panels that the layout wants."""
        wanted = self.setting.view.layout if self.setting else ""
        for layout in LAYOUTS:
            self.set_class(layout.name == wanted, layout.style)

    @property
    def about(self) -> tuple[str, int]:
        """The model whose changes are asked for, or none, and before which moment (ms UTC)."""
        return "", self.now

    @property
    def subject(self) -> str:
        """The model in focus; empty when there is none."""
        return ""

    @property
    def pointed(self) -> int | None:
        """The moment of the past (ms UTC) that is shown, or pointed at; None when it is now."""
        board = self.sight.board
        return None if board is None or board.live else board.at

    def again(self) -> None:
        """Read anew what was read of the past: something was entered there."""

    @property
    def view(self) -> str:
        """Where one looks, for the others on this store."""
        return self.area

    def compose(self) -> ComposeResult:
        """The frame around the screen's own panels."""
        yield TopBar(self.area, "" if self.view == self.area else self.view).data_bind(
            BaseScreen.sight, BaseScreen.now, BaseScreen.past, BaseScreen.setting
        )
        yield Banner(id="banner").data_bind(
            BaseScreen.sight, BaseScreen.notice, BaseScreen.now, BaseScreen.setting
        )
        yield from self.panels()
        yield Footer(self.WHERE).data_bind(BaseScreen.setting)
        yield TooSmall(id="too-small").data_bind(BaseScreen.setting)

    def ask(self, prompt: Prompt) -> None:
        """Have something typed at the bottom of the screen."""
        self.unask()
        self._before = self.focused
        self.mount(prompt.data_bind(BaseScreen.setting))

    def unask(self) -> None:
        """Take the line away again."""
        for prompt in self.query(Prompt):
            prompt.remove()
            self.set_focus(self._before)

    def known(self) -> CompletionContext:
        """What commands can be about on this screen."""
        setting = self.setting
        return CompletionContext(
            tuple(model.facts.name for model in self.models),
            tuple(sorted(themes(setting.environ))) if setting else (),
            (),
            tuple(f"@{name}" for name in setting.view.filters) if setting else (),
            self._focus(),
        )

    def _focus(self) -> str:
        """The model and the moment that a change would be marked on."""
        at, zone = self.pointed, self.setting.zone if self.setting else None
        when = "now" if at is None else f"at {clock(at, zone, '%b %d %H:%M:%S')} {offset(at, zone)}"
        return f"{self.subject} {when}" if self.subject else "no model is in focus"

    @on(CommandLineRequested)
    def _ask_for_command(self, message: CommandLineRequested) -> None:
        self.ask(Prompt(COMMAND, message.begun, self.history(COMMAND)))

    @on(SeekRequested)
    def _ask_for_time(self) -> None:
        prompt = Prompt(SEEK, "", self.history(SEEK))
        self.ask(prompt)
        self.call_after_refresh(prompt.hint, Hint(f"a time to go to: {EXAMPLES}"))

    @on(Prompt.Changed)
    def _hint_at_commands(self, message: Prompt.Changed) -> None:
        if message.prompt.sign == COMMAND:
            message.prompt.hint(Hint(self.hinted(message.text)))

    def hinted(self, text: str) -> str:
        """What a line that is typed can become, or would do."""
        return hint(text, self.known(), offered(self.app))

    @on(Prompt.Completed)
    def _complete(self, message: Prompt.Completed) -> None:
        if message.prompt.sign == COMMAND:
            lines = completions(message.text, self.known(), offered(self.app))
            if lines:
                message.prompt.complete(lines[0])

    @on(Prompt.Done)
    def _give(self, message: Prompt.Done) -> None:
        if message.prompt.sign != COMMAND:
            return
        try:
            given = parse(message.text, self.known(), offered(self.app))
        except CommandError as error:
            message.prompt.hint(Hint(str(error), error.position))
            return
        self.remember(COMMAND, message.text.strip())
        self.unask()
        self.post_message(CommandEntered(given))

    @on(Prompt.Left)
    def _give_up(self, message: Prompt.Left) -> None:
        if message.prompt.sign == COMMAND:
            self.unask()

    def history(self, sign: str) -> list[str]:
        """What was typed after this sign before, the newest last."""
        return self._typed.setdefault(sign, [])

    def remember(self, sign: str, text: str) -> None:
        """Have a text come back with the up key."""
        past = self.history(sign)
        if text and text not in past[-1:]:
            past.append(text)
            del past[:-_REMEMBERED]

    def panels(self) -> ComposeResult:
        """The panels of this screen, bound to its slices."""
        raise NotImplementedError
