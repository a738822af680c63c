"""The console: modes, colours, and what it sees handed down to the screen in view."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace
from rich.text import Text
from textual import on
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from watchdeck.console.controllers.commands import CommandController
from watchdeck.console.controllers.time_travel import NOTICE_LASTS
from watchdeck.console.input.keys import KEYS, KeyScope, bindings, shown
from watchdeck.console.input.time_cursor import TimeCursor
from watchdeck.console.lines.health import worst_first
from watchdeck.console.lines.relative_time import coarse
from watchdeck.console.overview.screen import DeckScreen
from watchdeck.console.setup import default_setting
from watchdeck.console.state.board_poller import BoardPoller
from watchdeck.console.state.board_source import BoardQuery, OpenSource, StoreLocation
from watchdeck.console.state.messages import (
    BoardUpdated,
    HistoryRequested,
    ModelOpened,
    ResponsesRequested,
)
from watchdeck.console.state.presence import ConsolePresence
from watchdeck.console.state.queries import read_answers, read_history, read_kinds
from watchdeck.console.state.services import Services
from watchdeck.console.state.trends import MOST, STEP, read_trends
from watchdeck.console.state.view_state import ViewSettings, ViewState
from watchdeck.console.theme.layouts import unknown
from watchdeck.console.theme.palette import Palette
from watchdeck.console.theme.styles import OutputSanitizer, StyleSheet
from watchdeck.console.theme.themes import load_theme, themes
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.chrome import SMALLEST
from watchdeck.console.widgets.chrome_lines import meter
from watchdeck.domain.board.board import Board
from watchdeck.domain.board.presence import RENEW
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Clock
from watchdeck.errors import ConfigError

STARTING = 15_000
"""How long a collector that was started may need until it has the store, in milliseconds."""

SLOW = 0.15
"""Seconds to the terminal and back from which on a link is spared."""

_GATE = OutputSanitizer()

_WIDTHS = ((0, "-tiny"), (SMALLEST[0], "-narrow"), (110, "-wide"), (150, "-broad"))
_HEIGHTS = ((0, "-flat"), (SMALLEST[1], "-short"), (28, "-high"), (36, "-tall"), (46, "-towering"))
"""From how many cells or rows on a screen has a class, for the layouts of the style sheet."""


class Console(CommandController, inherit_bindings=False):
    """Shows boards. Without `open_source` nobody watches the store, and boards are posted to it.

    `at` is a moment of the past to show instead of now. `notice` is said for a while at the start:
    that a collector was started, so that a store which is not there yet is no failure.
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
        setting: ViewSettings | None = None,
        desk: Services | None = None,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._cursor = TimeCursor(at)
        self._open_source = open_source
        self._desk = desk or Services()
        self._company = self._desk.company
        moment = coarse(clock()) if at is None else at
        self._outlook = ViewState(setting or default_setting(directory), now=moment)
        self._notice_ends = 0
        self._told = ""
        self._metered = False
        self._trended: tuple[int, frozenset[str]] | None = None
        view = BoardQuery(directory, at, clock() + STARTING if notice else 0)
        self._watcher = open_source and BoardPoller(open_source, view, clock, self._see)
        self.add_mode("deck", lambda: DeckScreen(self._outlook, "deck"))
        self.add_mode("models", self._models)
        self.add_mode("alerts", self._alerts)
        self._dress(self._outlook.setting.brush.palette)
        # Textual goes through the whole map at every key that is pressed: 4 ms if all were in it
        changed = [key for key in self._outlook.setting.keys if key not in KEYS]
        self.set_keymap({key.id: key.keys for key in changed})
        said = "; ".join(filter(None, (self._outlook.setting.problem, notice)))
        if said:
            self.say(said)

    def _models(self) -> Screen[None]:
        """A screen that nobody has seen yet costs nothing before it is asked for, as all others."""
        from watchdeck.console.models.list_screen import ModelsScreen

        return ModelsScreen(self._outlook, "models")

    def _alerts(self) -> Screen[None]:
        from watchdeck.console.alerts.list_screen import AlertsScreen

        return AlertsScreen(self._outlook, "alerts")

    def _moment(self) -> int:
        """The moment that is shown: it is the board's, wherever the cursor was sent since."""
        board = self._outlook.sight.board
        if board is not None and not board.live:
            return board.at
        return coarse(self._clock())

    def _dress(self, palette: Palette) -> None:
        accent, text, ground = (_styled(palette, name) for name in ("accent", "text", "background"))
        self.register_theme(
            Theme(
                palette.name,
                primary=accent,
                foreground=text,
                background=ground,
                dark=palette.dark,
                ansi=palette.terminal,
                variables={"ansi-background": ground, "ansi-foreground": text},
            )
        )
        self.theme = palette.name

    def action_theme(self, name: str) -> None:
        """Other colours, at once; what is wrong with a theme is said, and the old one stays."""
        try:
            palette = load_theme(name, self._outlook.setting.environ)
        except ConfigError as error:
            self.say(str(error))
            return
        setting = self._outlook.setting
        self._dress(palette)
        self._show(setting=replace(setting, brush=StyleSheet(palette, ascii=setting.brush.ascii)))

    def action_next_theme(self) -> None:
        """The theme after this one, by name."""
        names = sorted(themes(self._outlook.setting.environ))
        here = self._outlook.setting.brush.palette.name
        following = [name for name in names if name > here] or names
        self.action_theme(following[0])
        self.say(f"theme {following[0]}")

    def action_layout(self, name: str) -> None:
        """Other panels, at once."""
        if wrong := unknown(name):
            self.say(wrong)
            return
        setting = self._outlook.setting
        self._show(setting=replace(setting, view=replace(setting.view, layout=name)))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Everything that is drawn passes the gate last."""
        return (*super().get_line_filters(), _GATE)

    def on_mount(self) -> None:
        """Begin to watch: the board is read while the first frame is laid out."""
        self.screen_change_signal.subscribe(self, self._hand_down, immediate=True)
        self.set_interval(1.0, self._tick)
        self.set_interval(RENEW / 1_000, self._meet)
        self._meet()
        if self._watcher:
            self._watcher.start()

    def on_unmount(self) -> None:
        """Let go of the store."""
        if self._watcher:
            self._watcher.stop()
        if self._company:
            self._company.leave()

    @on(BoardUpdated)
    def _show_sight(self, message: BoardUpdated) -> None:
        self._outlook = replace(self._outlook, sight=message.sight)
        self._show(now=self._moment(), past=self._past(message.sight.board))
        self._want_trends(message.sight.board)
        self.call(message.sight.board)

    def _want_trends(self, board: Board | None) -> None:
        """Read the last hour of the worst models whenever five more minutes are known."""
        if self._open_source is None or board is None:
            return
        names = tuple(model.facts.name for model in worst_first(board.models)[:MOST])
        wanted = (board.at // STEP, frozenset(names))
        if wanted != self._trended:
            self._trended = wanted
            learn = partial(self._learn_trends, self._open_source, names, board.at)
            self.run_worker(learn, thread=True, exclusive=True, group="trends")

    def _learn_trends(self, open_source: OpenSource, names: tuple[str, ...], at: int) -> None:
        self.call_from_thread(self._show, trends=read_trends(open_source, names, at))

    def _tick(self) -> None:
        """Ages move on, in steps; a notice has its time; the past may run."""
        self._play()
        self._mind_the_link()
        now = self._moment()
        if self._outlook.notice and self._clock() >= self._notice_ends:
            self._show(notice="", now=now)
        elif now != self._outlook.now:
            self._show(now=now)

    def _mind_the_link(self) -> None:
        """Spare a link that is slow, unless the person said whether it is; tell the meter."""
        traffic, wanted = self.traffic, self._outlook.setting.view.slow_link
        if traffic is None:
            return
        steady = traffic.steady
        if wanted is None and not self.slow and steady is not None and steady > SLOW:
            self.slow_down()
            self.say(f"the link is slow ({steady * 1_000:.0f} ms): fewer colours, no mouse")
        elif self._metered:
            self.say(meter(traffic))

    def command_meter(self, _text: str) -> None:
        """Tell what goes over the link, or no longer."""
        self._metered = not self._metered
        if not self._metered:
            self._show(notice="")
        elif self.traffic is None:
            self.say("nothing is measured here: Textual itself draws on this terminal")

    def say(self, notice: str, lasts: int = NOTICE_LASTS) -> None:
        """Say something under the top line, for a while (ms)."""
        self._notice_ends = self._clock() + lasts
        self._show(notice=notice)

    def _show(self, **changes: object) -> None:
        self._outlook = replace(self._outlook, **changes)
        if self.is_running and self.screen_stack:
            self._hand_down(self.screen)

    def _hand_down(self, screen: Screen[object]) -> None:
        """Only the screen in view is told; the others rest until they are shown again."""
        if isinstance(screen, BaseScreen):
            screen.take(self._outlook)
            if screen.view != self._told:
                self._meet()

    def _meet(self) -> None:
        """Tell the other consoles on this store where one looks, and see them."""
        if (
            self._company is None
            or not self.screen_stack
            or not isinstance(self.screen, BaseScreen)
        ):
            return
        self._told = self.screen.view
        meeting = partial(self._met, self._company, self._told)
        self.run_worker(meeting, thread=True, exclusive=True, group="company")

    def _met(self, company: ConsolePresence, view: str) -> None:
        others = company.meet(view, self._clock())
        self.call_from_thread(self._show, others=others)

    @on(ModelOpened)
    def _open_model(self, message: ModelOpened) -> None:
        if self._open_source and not self._outlook.kinds:
            self.run_worker(self._learn_kinds, thread=True)
        from watchdeck.console.models.detail_screen import DetailScreen

        self.push_screen(DetailScreen(self._outlook, self.current_mode, message.name))

    @on(ResponsesRequested)
    def _find_answers(self, message: ResponsesRequested) -> None:
        if self._open_source is not None:
            find = partial(self._show_answers, self._open_source, message.name)
            self.run_worker(find, thread=True, exclusive=True, group="answers")

    def _show_answers(self, open_source: OpenSource, name: str) -> None:
        found, problem = read_answers(open_source, name)
        from watchdeck.console.models.responses_screen import ResponsesScreen

        screen = ResponsesScreen(self._outlook, self.current_mode, name, found, problem)
        self.call_from_thread(self.push_screen, screen)

    def _learn_kinds(self) -> None:
        self.call_from_thread(self._show, kinds=read_kinds())

    @on(HistoryRequested)
    def _find_history(self, message: HistoryRequested) -> None:
        if self._open_source is not None:
            answer = partial(self._answer, self._open_source, message)
            self.run_worker(answer, thread=True, exclusive=True, group="history")

    def _answer(self, open_source: OpenSource, message: HistoryRequested) -> None:
        message.asked.post_message(read_history(open_source, message.wanted))

    def action_mode(self, name: str) -> None:
        """Show a mode as it was left, or the first screen of the one that is shown."""
        if isinstance(self.screen, BaseScreen) and self.screen.WHERE is KeyScope.HELP:
            self.pop_screen()
        if name != self.current_mode:
            self.switch_mode(name)
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_help(self) -> None:
        """The keys of the screen in view."""
        screen = self.screen
        from watchdeck.console.dialogs.help_screen import HelpScreen

        if isinstance(screen, BaseScreen) and screen.WHERE is not KeyScope.HELP:
            self.push_screen(HelpScreen(self._outlook, self.current_mode, screen.WHERE))

    def action_jump(self) -> None:
        """Show a letter on each panel."""
        if isinstance(self.screen, BaseScreen):
            self.screen.jump()
            self.call_later(self.go_on)

    def action_zoom_panel(self) -> None:
        """One panel on the whole screen, or all again."""
        if isinstance(self.screen, BaseScreen):
            self.screen.zoom()

    def action_hint(self) -> None:
        """Many leave programs with Ctrl+C; here that key says how to."""
        leave = shown("quit", self._outlook.setting.keys)
        self.say(f"{leave} leaves the console; the collector goes on")

    def action_redraw(self) -> None:
        """Draw every cell again, after something else wrote on the terminal."""
        self.redraw()

    def _fatal_error(self) -> None:
        """Say what happened in plain text: Textual's own page shows the values of variables."""
        said = traceback.format_exc().splitlines()
        self.panic(Text("\n".join(clean(line, 200) for line in said)))


def _styled(palette: Palette, name: str) -> str:
    """A colour as Textual's style sheets name it."""
    colour = palette.colours[name]
    return f"ansi_{colour}" if palette.terminal else colour
