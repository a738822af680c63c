"""Time travel: moves the moment that all panels show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from msgspec.structs import replace

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.commands import Command
from watchdeck.console.input.keys import KeyScope, key_label
from watchdeck.console.input.time_cursor import PastOffset, TimeCursor
from watchdeck.console.input.time_parser import EXAMPLES, MomentError, parse
from watchdeck.console.lines.relative_time import age_phrase, clock_time, utc_offset
from watchdeck.console.state.board_poller import BoardPoller
from watchdeck.console.widgets.base_screen import STEP
from watchdeck.console.widgets.prompt import Hint, Prompt
from watchdeck.domain.board.board import Board

SEEK = "@"
"""The sign of the prompt for a time."""

_HELP = f"a time to go to: {EXAMPLES}"


class TimeTravelController:
    """Moves the time cursor: the moment that the operator wants to see.

    The console keeps showing the previous moment until the board of the new one has been read.
    """

    def __init__(self, port: ConsolePort, poller: BoardPoller | None, cursor: TimeCursor) -> None:
        self._port = port
        self._poller = poller
        self._played_at = 0
        self.cursor = cursor

    def keys(self) -> Mapping[str, Callable[[], object]]:
        """The function to call for each key binding, by the id of the binding."""
        return {
            "time.back": partial(self.step, -1),
            "time.on": partial(self.step, 1),
            "time.seek": self.open_prompt,
            "time.play": self.play,
            "time.faster": partial(self.change_speed, 1),
            "time.slower": partial(self.change_speed, -1),
            "time.live": self.go_live,
            "changes.before": self.show_changes,
        }

    def commands(self) -> tuple[Command, ...]:
        """The commands that go to a time, return to now, and list recent changes."""
        changes = "What changed in the 30 minutes before"
        return (
            Command("at", "Show a moment of the past", self.seek, "TIME", is_free=True),
            Command("live", "Show now", lambda _: self.go_live()),
            Command("changes", changes, lambda _: self.show_changes()),
        )

    def move(self, cursor: TimeCursor) -> None:
        """Replace the time cursor; its moment is shown once its board has been read."""
        before, self.cursor = self.cursor, cursor
        if self._poller and cursor.at != before.at:
            self._poller.show_moment(cursor.at)
        state = self._port.view_state
        self._port.show(replace(state, past=self.past_offset(state.board)))

    def past_offset(self, board: Board | None) -> PastOffset | None:
        """How long ago the moment of a past board was, and how fast time plays.

        None for a live board, or without a board.
        """
        if board is None or board.live:
            return None
        speed = self.cursor.speed if self.cursor.is_playing else 0
        return PastOffset(max(0, self._port.clock() - board.at), speed)

    def tick(self) -> None:
        """Called once a second: advance a playing cursor by the time since the last call."""
        now = self._port.clock()
        elapsed, self._played_at = now - self._played_at, now
        if self.cursor.is_playing:
            self.move(self.cursor.advance(min(elapsed, 2_000), now))

    def step(self, by: int) -> None:
        """Go `by` steps through time, back if negative; the screen in view sets their length."""
        screen = self._port.current_screen
        length = screen.step if screen else STEP
        self.move(self.cursor.step(by, length, self._port.clock()))

    def play(self) -> None:
        """Play or pause the past; when live, show a notice with the keys that go back."""
        if self.cursor.at is None:
            keys = self._port.view_state.settings.keys
            step, seek = key_label("time.back", keys), key_label("time.seek", keys)
            self._port.say(f"this is live; {step} steps into the past, {seek} goes to a time")
            return
        self._played_at = self._port.clock()
        self.move(self.cursor.toggle_play())

    def change_speed(self, by: int) -> None:
        """Play at the next speed (`by` 1), or the previous one (-1)."""
        self.move(self.cursor.change_speed(by))
        self._port.say(f"the past runs at {self.cursor.speed}x")

    def go_live(self) -> None:
        """Return to the live board."""
        self.move(self.cursor.go_live())

    def seek(self, text: str) -> None:
        """Go to the time that `text` means; a mistake in it is shown as a notice."""
        problem = self.submit(text)
        if problem is not None:
            self._port.say(problem.words)

    def show_changes(self) -> None:
        """Open the list of changes in the half hour before a moment.

        The screen in view chooses the moment: the start of its alert, for example.
        """
        screen = self._port.current_screen
        if screen is not None and screen.WHERE is not KeyScope.BEFORE:
            from watchdeck.console.changes.screen import RecentChangesScreen

            state, mode = self._port.view_state, self._port.current_mode
            self._port.push_screen(RecentChangesScreen(state, mode, *screen.about))

    def open_prompt(self) -> None:
        """Open the prompt for a time to go to."""
        screen = self._port.current_screen
        if screen is not None:
            past = self._port.view_state.typed.setdefault(SEEK, [])
            screen.open_prompt(Prompt(SEEK, self, past, hint=_HELP))

    def _parse(self, text: str) -> int:
        now = self._port.clock()
        shown = now if self.cursor.at is None else self.cursor.at
        return parse(text, now, shown, self._port.view_state.settings.zone)

    def hint(self, text: str) -> Hint:
        """The moment that a text means, or what is wrong with it."""
        if not text.strip():
            return Hint(_HELP)
        try:
            at = self._parse(text)
        except MomentError as error:
            return Hint(str(error), 0)
        zone = self._port.view_state.settings.zone
        moment = f"{clock_time(at, zone, '%Y-%m-%d %H:%M:%S')} {utc_offset(at, zone)}"
        return Hint(f"{moment}, {age_phrase(at, self._port.clock())}")

    def complete(self, _text: str) -> str:
        """An empty text: times are not completed."""
        return ""

    def submit(self, text: str) -> Hint | None:
        """Go to the time that `text` means; returns None, or the mistake and goes nowhere."""
        try:
            at = self._parse(text)
        except MomentError as error:
            return Hint(str(error), 0)
        self.move(self.cursor.seek(at, self._port.clock()))
        return None

    def cancel(self) -> None:
        """Do nothing: when Esc closes the prompt, the moment shown stays."""
