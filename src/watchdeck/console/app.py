"""The Textual application of the console: it shows the view state and owns the controllers."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain

from msgspec.structs import replace
from rich.text import Text
from textual import events, on
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from watchdeck.console.controllers.actions import ActionController
from watchdeck.console.controllers.bell import BellController
from watchdeck.console.controllers.clipboard import ClipboardController
from watchdeck.console.controllers.command_line import CommandLine
from watchdeck.console.controllers.external_program import ExternalProgramController
from watchdeck.console.controllers.link import LinkMonitor
from watchdeck.console.controllers.navigation import Navigation
from watchdeck.console.controllers.port import NOTICE_LASTS, Result, TerminalOutput
from watchdeck.console.controllers.store_queries import PresenceController, QueryController
from watchdeck.console.controllers.themes import ThemeController
from watchdeck.console.controllers.time_travel import TimeTravelController
from watchdeck.console.controllers.type_ahead import TypeAhead
from watchdeck.console.input.commands import Command
from watchdeck.console.input.keys import KEYS, KeyScope, bindings
from watchdeck.console.input.time_cursor import TimeCursor
from watchdeck.console.lines.relative_time import round_to_step
from watchdeck.console.setup import console_settings
from watchdeck.console.state.board_poller import BoardPoller
from watchdeck.console.state.board_source import BoardQuery, OpenSource, StoreLocation
from watchdeck.console.state.messages import (
    AlertOpened,
    BoardUpdated,
    EditRequested,
    ModelOpened,
    PagerRequested,
    QueryRequested,
)
from watchdeck.console.state.services import Services
from watchdeck.console.state.view_state import ViewSettings, ViewState
from watchdeck.console.terminal.app import DiffRenderedApp
from watchdeck.console.theme.styles import OutputSanitizer
from watchdeck.console.theme.themes import Palette
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.chrome import SMALLEST
from watchdeck.domain.board.board import PRESENCE_INTERVAL
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Clock
from watchdeck.errors import WatchdeckError

STARTING = 15_000
"""Milliseconds that a collector which was just started may take to create the store."""

_SANITIZER = OutputSanitizer()

_WIDTHS = ((0, "-tiny"), (SMALLEST[0], "-narrow"), (110, "-wide"), (150, "-broad"))
_HEIGHTS = ((0, "-flat"), (SMALLEST[1], "-short"), (28, "-high"), (36, "-tall"), (46, "-towering"))
"""Style classes of a screen, each with the least columns or rows from which it applies."""


class Console(DiffRenderedApp, inherit_bindings=False):
    """The console application, which shows the newest board of a store.

    `at` is a moment of the past (ms UTC), None for now. With a `notice`, shown at the start, a
    missing store is no failure for STARTING ms. Without `open_source` boards come only as messages.
    """

    TITLE = "watchdeck"
    DEFAULT_MODE = "deck"
    CSS_PATH = "console.tcss"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    HORIZONTAL_BREAKPOINTS = list(_WIDTHS)  # noqa: RUF012 - declared as Textual does
    VERTICAL_BREAKPOINTS = list(_HEIGHTS)  # noqa: RUF012
    BINDINGS = bindings(KeyScope.EVERYWHERE)

    def __init__(
        self,
        directory: StoreLocation,
        *,
        clock: Clock,
        at: int | None = None,
        notice: str = "",
        open_source: OpenSource | None = None,
        settings: ViewSettings | None = None,
        services: Services | None = None,
    ) -> None:
        super().__init__()
        self.clock = clock
        moment = round_to_step(clock()) if at is None else at
        self._view_state = ViewState(settings or console_settings(directory), now=moment)
        self._notice_ends = 0
        services = services or Services()
        self.programs = ExternalProgramController(self, self.suspend, services.config)
        query = BoardQuery(directory, at, clock() + STARTING if notice else 0)
        self._poller = open_source and BoardPoller(open_source, query, clock, self.programs.receive)
        self.time_travel = TimeTravelController(self, self._poller, TimeCursor(at))
        self.queries = QueryController(self, open_source)
        self.presence = PresenceController(self, services.presence)
        self.page_bell = BellController(self)
        self.link = LinkMonitor(self, self)
        self.themes = ThemeController(self, self._apply_palette)
        self.type_ahead = TypeAhead(self, self, super().on_event)
        self.navigation = Navigation(self, self, self.type_ahead.release)
        self.command_line = CommandLine(self)
        self.actions = ActionController(self, services.actor, self.command_line)
        self.command_line.table = self._commands()
        self._key_functions = self._keys()
        self._apply_settings(notice)

    def _commands(self) -> tuple[Command, ...]:
        """All commands of the console, in the order of the palette."""
        first = (self.navigation, self.command_line, self.themes, self.time_travel)
        last = (self.actions, self.programs, self.link)
        return (
            *chain.from_iterable(one.commands() for one in (*first, *last)),
            Command("help", "The keys that work here", lambda _: self.navigation.show_help()),
            Command("redraw", "Redraw the screen", lambda _: self.redraw()),
            Command("quit", "Leave; the collector goes on", lambda _: self.exit()),
        )

    def _keys(self) -> dict[str, Callable[[], object]]:
        """The functions of the keys that work everywhere, and of the action keys, by binding id."""
        return {
            **self.navigation.keys(),
            **self.command_line.keys(),
            **self.themes.keys(),
            **self.time_travel.keys(),
            **self.actions.keys(),
            **ClipboardController(self).keys(),
            "screen.redraw": self.redraw,
            "suspend": self.action_suspend_process,
            "quit": self.exit,
        }

    def action_run(self, key: str) -> None:
        """Call the function of the key binding with the id `key`."""
        self._key_functions[key]()

    def _apply_settings(self, notice: str) -> None:
        settings = self._view_state.settings
        self._apply_palette(settings.styles.palette)
        # Textual searches the whole keymap at every key press: 4 ms if all keys were in it
        changed = [key for key in settings.keys if key not in KEYS]
        self.set_keymap({key.id: key.keys for key in changed})
        words = "; ".join(filter(None, (settings.problem, notice)))
        if words:
            self.say(words)

    def _apply_palette(self, palette: Palette) -> None:
        self.register_theme(_textual_theme(palette))
        self.theme = palette.name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's line filters, then the sanitizer: every drawn line passes through it last."""
        return (*super().get_line_filters(), _SANITIZER)

    def on_mount(self) -> None:
        """Start the timers, and the thread that reads the store while Textual lays out."""
        self.screen_change_signal.subscribe(self, self._show_on, immediate=True)
        self.set_interval(1.0, self.tick)
        self.set_interval(PRESENCE_INTERVAL / 1_000, self.presence.announce)
        self.presence.announce()
        if self._poller:
            self._poller.start()

    def on_unmount(self) -> None:
        """Stop reading the store, and remove this console from the list of open consoles."""
        if self._poller:
            self._poller.stop()
        self.presence.leave()

    async def on_event(self, event: events.Event) -> None:
        """Handle an event as Textual does, except keys, which may wait for a screen to open."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self.type_ahead.receive(event)
        else:
            await super().on_event(event)

    @on(events.DescendantFocus)
    async def _release_keys(self) -> None:
        await self.type_ahead.release()

    def tick(self) -> None:
        """Called once a second: update ages, remove an expired notice, advance a playing past."""
        self.time_travel.tick()
        self.link.tick()
        now, state = self._moment(), self._view_state
        if state.notice and self.clock() >= self._notice_ends:
            self.show(replace(state, notice="", now=now))
        elif now != state.now:
            self.show(replace(state, now=now))

    def _moment(self) -> int:
        """The moment shown (ms UTC): now for a live board, else the moment of the board."""
        board = self._view_state.board
        return round_to_step(self.clock()) if board is None or board.live else board.at

    @property
    def view_state(self) -> ViewState:
        """The view state on screen."""
        return self._view_state

    @property
    def current_screen(self) -> BaseScreen | None:
        """The screen in view; None before the first."""
        screen = self.screen if self.screen_stack else None
        return screen if isinstance(screen, BaseScreen) else None

    def show(self, state: ViewState) -> None:
        """Replace the view state, and update the screen in view."""
        self._view_state = state
        if self.is_running and self.screen_stack:
            self._show_on(self.screen)

    def _show_on(self, screen: Screen[object]) -> None:
        """Update the screen in view; other screens are updated when they are shown again."""
        if isinstance(screen, BaseScreen):
            screen.show(self._view_state)
            self.presence.announce_change()

    def say(self, notice: str, lasts: int = NOTICE_LASTS) -> None:
        """Show a notice under the top line, for `lasts` milliseconds."""
        self._notice_ends = self.clock() + lasts
        self.show(replace(self._view_state, notice=notice))

    @property
    def output(self) -> TerminalOutput | None:
        """The terminal to write control sequences to; None when there is none."""
        return self._driver

    def run_in_thread(
        self,
        work: Callable[[], Result],
        then: Callable[[Result], None],
        group: str,
        *,
        exclusive: bool = True,
    ) -> None:
        """Run `work` on a thread, then `then` with its result; a WatchdeckError is shown."""
        run = partial(self._run_and_report, work, then)
        self.run_worker(run, thread=True, exclusive=exclusive, group=group)

    def _run_and_report(self, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        try:
            result = work()
        except WatchdeckError as error:
            self.call_from_thread(self.say, str(error))
        else:
            self.call_from_thread(then, result)

    @on(BoardUpdated)
    def _show_board(self, message: BoardUpdated) -> None:
        board = message.snapshot.board
        self._view_state = replace(self._view_state, snapshot=message.snapshot)
        past = self.time_travel.past_offset(board)
        self.show(replace(self._view_state, now=self._moment(), past=past))
        self.queries.read_trends(board)
        self.page_bell.ring_for_new(board)

    @on(QueryRequested)
    def _answer(self, request: QueryRequested) -> None:
        self.queries.answer(request)

    @on(ModelOpened)
    def _open_model(self, message: ModelOpened) -> None:
        self.queries.read_kinds()
        self.navigation.open_model(message.name)

    @on(AlertOpened)
    def _open_alert(self, message: AlertOpened) -> None:
        self.navigation.open_alert(message.episode)

    @on(PagerRequested)
    def _page(self, message: PagerRequested) -> None:
        self.programs.page(message.text)

    @on(EditRequested)
    def _edit(self) -> None:
        self.programs.edit()

    def _fatal_error(self) -> None:
        """Print the traceback as plain text: Textual's own would show the values of variables."""
        lines = traceback.format_exc().splitlines()
        self.panic(Text("\n".join(clean(line, 200) for line in lines)))


def _textual_theme(palette: Palette) -> Theme:
    """The Textual theme with the colours of a palette."""
    accent, text, ground = (_css_colour(palette, one) for one in ("accent", "text", "background"))
    return Theme(
        palette.name,
        primary=accent,
        foreground=text,
        background=ground,
        dark=palette.dark,
        ansi=palette.terminal,
        variables={"ansi-background": ground, "ansi-foreground": text},
    )


def _css_colour(palette: Palette, name: str) -> str:
    """The colour of this name in a palette, as Textual's style sheets write it."""
    colour = palette.colours[name]
    return f"ansi_{colour}" if palette.terminal else colour
