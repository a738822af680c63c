"""The keys of the time machine: they move the one moment that every panel shows."""

from __future__ import annotations

from datetime import tzinfo
from functools import partial

from textual import on

from watchdeck.console.input.keys import KeyScope, shown
from watchdeck.console.input.time_cursor import PastOffset, TimeCursor
from watchdeck.console.input.time_parser import EXAMPLES, MomentError, parse
from watchdeck.console.lines.relative_time import ago, clock, offset
from watchdeck.console.state.board_poller import BoardPoller
from watchdeck.console.state.board_source import OpenSource
from watchdeck.console.state.messages import ChangesRequested, SeekRequested
from watchdeck.console.state.queries import read_events
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.terminal.app import DiffRenderedApp
from watchdeck.console.widgets.base_screen import SEEK, STEP, BaseScreen
from watchdeck.console.widgets.prompt import Hint, Prompt
from watchdeck.domain.board.board import Board
from watchdeck.domain.values.units import Clock

NOTICE_LASTS = 15_000
"""How long a notice stays, in milliseconds."""


class TimeTravelController(DiffRenderedApp, inherit_bindings=False):
    """An application with a moment of its own; `_cursor` is where it was sent.

    What is shown follows when it has been read: nothing is claimed of a moment before.
    """

    _clock: Clock
    _outlook: ViewState
    _watcher: BoardPoller | None
    _open_source: OpenSource | None
    _cursor: TimeCursor
    _played_at: int = 0

    def say(self, notice: str, lasts: int = NOTICE_LASTS) -> None:
        """Say something for a while (ms)."""
        raise NotImplementedError

    def _show(self, **changes: object) -> None:
        raise NotImplementedError

    def _send(self, cursor: TimeCursor) -> None:
        """Show another moment as soon as it is read."""
        before, self._cursor = self._cursor, cursor
        if self._watcher and cursor.at != before.at:
            self._watcher.look_at(cursor.at)
        self._show(past=self._past(self._outlook.sight.board))

    def _past(self, board: Board | None) -> PastOffset | None:
        """How far away the board is; None when it is the newest."""
        if board is None or board.live:
            return None
        speed = self._cursor.speed if self._cursor.playing else 0
        return PastOffset(max(0, self._clock() - board.at), speed)

    def _play(self) -> None:
        """Let the past run on, once a second."""
        now = self._clock()
        elapsed, self._played_at = now - self._played_at, now
        if self._cursor.playing:
            self._send(self._cursor.played(min(elapsed, 2_000), now))

    def action_step(self, by: int) -> None:
        """A step through time; the screen knows how far one goes."""
        step = self.screen.step if isinstance(self.screen, BaseScreen) else STEP
        self._send(self._cursor.stepped(by, step, self._clock()))

    def action_play(self) -> None:
        """Let the past run, or stand."""
        if self._cursor.at is None:
            keys = self._outlook.setting.keys
            step, seek = shown("time.back", keys), shown("time.seek", keys)
            self.say(f"this is live; {step} steps into the past, {seek} goes to a time")
            return
        self._played_at = self._clock()
        self._send(self._cursor.toggled())

    def action_hurry(self, by: int) -> None:
        """Let the past run faster, or slower."""
        self._send(self._cursor.hurried(by))
        self.say(f"the past runs at {self._cursor.speed}x")

    def action_live(self) -> None:
        """Back to now."""
        self._send(self._cursor.live())

    def action_seek(self) -> None:
        """Type a time to go to."""
        if isinstance(self.screen, BaseScreen):
            self.screen.post_message(SeekRequested())

    def command_seek(self, text: str) -> None:
        """Go to a time."""
        try:
            self._send(self._cursor.sought(self._meant(text), self._clock()))
        except MomentError as error:
            self.say(str(error))

    def command_live(self, _text: str) -> None:
        """Back to now."""
        self.action_live()

    def action_changes(self) -> None:
        """What changed in the half hour before the moment that counts on this screen."""
        screen = self.screen
        if isinstance(screen, BaseScreen) and screen.WHERE is not KeyScope.BEFORE:
            from watchdeck.console.changes.screen import RecentChangesScreen

            self.push_screen(RecentChangesScreen(self._outlook, self.current_mode, *screen.about))

    def command_changes(self, _text: str) -> None:
        """What changed before."""
        self.action_changes()

    @on(ChangesRequested)
    def _find_events(self, message: ChangesRequested) -> None:
        if self._open_source is not None:
            answer = partial(self._tell_events, self._open_source, message)
            self.run_worker(answer, thread=True, exclusive=True, group="events")

    def _tell_events(self, open_source: OpenSource, message: ChangesRequested) -> None:
        message.asked.post_message(read_events(open_source, message))

    def _meant(self, text: str) -> int:
        now = self._clock()
        here = now if self._cursor.at is None else self._cursor.at
        return parse(text, now, here, self._outlook.setting.zone)

    @on(Prompt.Changed)
    def _hint_at_moments(self, message: Prompt.Changed) -> None:
        if message.prompt.sign == SEEK:
            message.prompt.hint(self._hint(message.text))

    def _hint(self, text: str) -> Hint:
        if not text.strip():
            return Hint(f"a time to go to: {EXAMPLES}")
        try:
            at = self._meant(text)
        except MomentError as error:
            return Hint(str(error), 0)
        return Hint(_told(at, self._outlook.setting.zone, self._clock()))

    @on(Prompt.Done)
    def _go(self, message: Prompt.Done) -> None:
        if message.prompt.sign != SEEK or not isinstance(self.screen, BaseScreen):
            return
        try:
            at = self._meant(message.text)
        except MomentError as error:
            message.prompt.hint(Hint(str(error), 0))
            return
        self.screen.remember(SEEK, message.text.strip())
        self.screen.unask()
        self._send(self._cursor.sought(at, self._clock()))

    @on(Prompt.Left)
    def _stay(self, message: Prompt.Left) -> None:
        if message.prompt.sign == SEEK and isinstance(self.screen, BaseScreen):
            self.screen.unask()


def _told(at: int, zone: tzinfo | None, now: int) -> str:
    """A moment in words, as it is meant."""
    return f"{clock(at, zone, '%Y-%m-%d %H:%M:%S')} {offset(at, zone)}, {ago(at, now)}"
