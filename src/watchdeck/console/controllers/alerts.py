"""Deeds on alerts: done in a thread, said in words, and taken back with one key for ten seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from watchdeck.console.alerts.action_screen import AlertActionScreen
from watchdeck.console.controllers.bell import bell_sequence, unacknowledged_pages
from watchdeck.console.controllers.changes import ChangeController
from watchdeck.console.input.keys import shown
from watchdeck.console.state.alert_verbs import ArgumentError, Operations
from watchdeck.console.state.messages import ActionRequested, AlertHistoryRequested, AlertOpened
from watchdeck.console.state.queries import read_story
from watchdeck.domain.alerts.alert import UNDO, ActiveAlert
from watchdeck.domain.board.board import Board
from watchdeck.errors import WatchdeckError

if TYPE_CHECKING:
    from watchdeck.actions.transaction import ActionResult

_SHORT = UNDO // 1_000


class AlertController(ChangeController, inherit_bindings=False):
    """An application from which alerts are taken, silenced and resolved."""

    _last: Sequence[int] = ()

    _called: dict[int, ActiveAlert] | None = None

    def call(self, board: Board | None) -> None:
        """Ring, if that is wanted, for pages that were not there at the last look."""
        if board is None or not board.live:
            return
        before, self._called = self._called, unacknowledged_pages(board)
        known = self._called if before is None else before
        new = [one for number, one in self._called.items() if number not in known]
        if new:
            self.ring(new)

    def ring(self, found: Sequence[ActiveAlert]) -> None:
        """Have the terminal ring, or tell its desktop, as far as the person wants it."""
        view, environ = self._outlook.setting.view, self._outlook.setting.environ
        if self._driver is not None and bell_sequence(found, view, environ):
            self._driver.write(bell_sequence(found, view, environ))

    @on(AlertOpened)
    def _open_alert(self, message: AlertOpened) -> None:
        from watchdeck.console.alerts.detail_screen import AlertScreen

        self.push_screen(AlertScreen(self._outlook, self.current_mode, message.episode))

    @on(AlertHistoryRequested)
    def _find_story(self, message: AlertHistoryRequested) -> None:
        if self._open_source is not None:
            answer = partial(self._tell_story, message)
            self.run_worker(answer, thread=True, exclusive=True, group="story")

    def _tell_story(self, message: AlertHistoryRequested) -> None:
        if self._open_source is not None:
            found = read_story(self._open_source, message.episode, message.at)
            message.asked.post_message(found)

    @on(ActionRequested)
    def _want_deed(self, message: ActionRequested) -> None:
        if message.episodes:
            self.do(message.verb, message.episodes, message.text)
        else:
            self.say("no open alert is chosen: there is nothing to do")

    def do(self, verb: str, episodes: Sequence[int], text: str = "") -> None:
        """Have something done to alerts, unless this is not the place or the time for it."""
        hands = self._hands()
        if hands is not None:
            deed = partial(hands.do, verb, tuple(episodes), text, self._clock())
            self.run_worker(partial(self._act, deed, self._acted), thread=True, group="deeds")

    def _hands(self) -> Operations | None:
        """Who acts here; None, and why, when nobody can."""
        hands, board = self._desk.hands, self._outlook.sight.board
        if self._outlook.setting.read_only or hands is None:
            self.say("this console is read-only: nothing is done to alerts from it")
            return None
        if board is not None and not board.live:
            self.say("this is the past: L goes back to now, where something can be done")
            return None
        return hands

    def _act(self, deed: Callable[[], ActionResult], acted: Callable[[ActionResult], None]) -> None:
        try:
            done = deed()
        except (ArgumentError, WatchdeckError) as error:
            self.call_from_thread(self.say, str(error))
        else:
            self.call_from_thread(acted, done)

    def _acted(self, done: ActionResult) -> None:
        """Say what came of a deed; one that did nothing leaves the one before to be taken back."""
        if not done.undo:
            self.say(done.words)
            return
        self._last = done.undo
        undo = shown("undo", self._outlook.setting.keys)
        self.say(f"{done.words}; {undo} takes it back ({_SHORT} s)", UNDO)

    def _taken_back(self, done: ActionResult) -> None:
        """Say what came of that; what took a deed back cannot itself be taken back."""
        self._last = ()
        self.say(done.words)

    def action_undo(self) -> None:
        """Take back what was just done."""
        numbers = self._last
        hands = self._hands() if numbers else None
        if hands is not None:
            undo = partial(hands.undo, numbers, self._clock())
            self.run_worker(partial(self._act, undo, self._taken_back), thread=True, group="deeds")
        elif not numbers:
            self.say("nothing was done here that can be taken back")

    def _about_alerts(self, verb: str, text: str) -> None:
        """A verb that was typed: it is about the alerts chosen on the screen in view."""
        screen = self.screen
        chosen = screen.chosen if isinstance(screen, AlertActionScreen) else ()
        if chosen:
            self.do(verb, chosen, text)
        else:
            self.say("no open alert is chosen: 3 goes to the alerts")

    def command_ack(self, text: str) -> None:
        """Take the chosen alerts."""
        self._about_alerts("ack", text)

    def command_takeover(self, text: str) -> None:
        """Take the chosen alerts from who has them."""
        self._about_alerts("takeover", text)

    def command_unack(self, text: str) -> None:
        """Give the chosen alerts back."""
        self._about_alerts("unack", text)

    def command_escalate(self, text: str) -> None:
        """Tell those who come next."""
        self._about_alerts("escalate", text)

    def command_resolve(self, text: str) -> None:
        """End the chosen alerts by hand."""
        self._about_alerts("resolve", text)

    def command_note(self, text: str) -> None:
        """Write a note on the chosen alerts, open or over."""
        screen = self.screen
        remembered = screen.remembered if isinstance(screen, AlertActionScreen) else ()
        if remembered:
            self.do("note", remembered, text)
        else:
            self.say("no alert is chosen: 3 goes to the alerts")

    def command_silence(self, text: str) -> None:
        """Have nobody told of alerts whose labels match."""
        self.do("silence", (), text)

    def command_unsilence(self, text: str) -> None:
        """End a silence."""
        self.do("unsilence", (), text)

    def command_pin(self, text: str) -> None:
        """Pin a known issue."""
        self.do("pin", (), text)

    def command_unpin(self, text: str) -> None:
        """Take a known issue away."""
        self.do("unpin", (), text)

    def command_undo(self, _text: str) -> None:
        """Take back what was just done."""
        self.action_undo()
