"""The operator's actions: started by key or command, run on a thread, undoable for 10 s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from watchdeck.actions.action import Action, ActionKey, Place, Subject
from watchdeck.actions.actor import Actor, ActorRole
from watchdeck.actions.requests import (
    ActionRequest,
    ArgumentError,
    ChangeRequest,
    Selection,
    UndoRequest,
    parse_arguments,
)
from watchdeck.actions.table import ACTIONS, perform
from watchdeck.console.alerts.list_lines import worst_alert
from watchdeck.console.controllers.command_line import CommandLine
from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.commands import Command
from watchdeck.console.input.keys import WITH_ALERT_ACTIONS, key_label
from watchdeck.console.lines.relative_time import clock_time, utc_offset
from watchdeck.domain.alerts.alert import UNDO_WINDOW
from watchdeck.domain.alerts.muting import matching_alerts
from watchdeck.domain.values.matcher import Matcher
from watchdeck.domain.values.text import clean

if TYPE_CHECKING:
    from watchdeck.actions.transaction import ActionResult

_NOTHING_CHOSEN = {
    Subject.OPEN_ALERTS: "no open alert is chosen: 3 goes to the alerts",
    Subject.ALERTS: "no alert is chosen: 3 goes to the alerts",
    Subject.MODEL: "no model is in focus: go to its row, or open it",
}


class ActionController:
    """Runs the operator's actions on alerts and models, in the name of `actor`.

    Without an actor the console is read-only, and every action is refused.
    """

    def __init__(self, port: ConsolePort, actor: Actor | None, command_line: CommandLine) -> None:
        self._port = port
        self._actor = actor
        self._command_line = command_line
        self._last: Sequence[int] = ()

    def keys(self) -> Mapping[str, Callable[[], object]]:
        """The function to call for each key binding, by the id of the binding."""
        return {
            key.id: partial(self._press, action, key) for action in ACTIONS for key in action.keys
        }

    def commands(self) -> tuple[Command, ...]:
        """The typed commands that run actions."""
        return tuple(self._command(action) for action in ACTIONS if action.is_typed)

    def _command(self, action: Action) -> Command:
        return Command(
            *(action.name, action.words, partial(self._run_typed, action), action.takes),
            choices=lambda _: action.choices,
            is_free=bool(action.takes),
            is_bare=action.is_bare,
            hint=partial(self._hint, action),
        )

    def _hint(self, action: Action, text: str) -> str:
        """A hint on a typed action: the model in focus, or how many alerts it would hide."""
        screen = self._port.current_screen
        if action.subject is Subject.MODEL:
            return f"{action.words}: {self._focus_words()}"
        matchers = parse_arguments(text).matchers
        if screen is None or screen.WHERE not in WITH_ALERT_ACTIONS or not matchers:
            return ""
        if "matchers" not in action.request.__struct_fields__:
            return ""
        alerts = self._port.view_state.alerts
        count = sum(one.episode.is_open for one in matching_alerts(matchers, alerts))
        return f"hides {count} open alert{'' if count == 1 else 's'}; then say why"

    def _focus_words(self) -> str:
        screen = self._port.current_screen
        if screen is None or not screen.subject:
            return "no model is in focus"
        when = "now" if screen.pointed is None else f"at {self._time(screen.pointed, '%b %d')}"
        return f"{screen.subject} {when}"

    def _time(self, at: int, date: str) -> str:
        zone = self._port.view_state.settings.zone
        return f"{clock_time(at, zone, f'{date} %H:%M:%S')} {utc_offset(at, zone)}"

    def _press(self, action: Action, key: ActionKey) -> None:
        """Handle an action's key: act on the chosen alerts, or begin a command about them."""
        if action.request is UndoRequest:
            self.undo()
            return
        if key.begins:
            self._command_line.begin(self._beginning(action, key.begins))
            return
        episodes = self._episodes(action, key.where)
        if episodes:
            self._run(action, Selection(episodes), key.text)
        elif action.subject is Subject.OPEN_ALERTS:
            self._port.say("no open alert is chosen: there is nothing to do")

    def _episodes(self, action: Action, where: Place) -> tuple[int, ...]:
        """The episodes that a key acts on: the chosen ones; on the deck the worst alert."""
        screen = self._port.current_screen
        if where is Place.DECK:
            first = worst_alert(self._port.view_state.alerts)
            return (first.episode.id,) if first else ()
        if screen is None:
            return ()
        chosen = screen.choose_alerts(hold=True)
        return chosen.open if action.subject is Subject.OPEN_ALERTS else chosen.all

    def _beginning(self, action: Action, begins: str) -> str:
        """The begun command for the prompt, with labels and model of the chosen alerts."""
        screen = self._port.current_screen
        model = screen.subject if screen else ""
        if "{model}" in begins and not model:
            return f"{action.name} "
        labels = self._shared_labels() if "{labels}" in begins else ""
        begun = begins if labels else begins.replace("{labels} ", "")
        return begun.format(labels=labels, model=Matcher("model", model))

    def _shared_labels(self) -> str:
        """The rule, model or owner that all chosen open alerts share; empty when there is none."""
        screen = self._port.current_screen
        numbers = screen.choose_alerts().open if screen else ()
        found = [one.alert for one in self._port.view_state.alerts if one.episode.id in numbers]
        if not found:
            return ""
        first, *rest = found
        shared: list[Matcher] = []
        if all(other.rule == first.rule for other in rest):
            shared.append(Matcher("rule", first.rule))
        if all(other.model == first.model for other in rest):
            shared.append(Matcher("model", first.model))
        owners = {one.labels.get("owner", "") for one in found}
        if not shared and len(owners) == 1 and owners != {""}:
            shared.append(Matcher("owner", owners.pop()))
        return " ".join(map(str, shared))

    def _run_typed(self, action: Action, text: str) -> None:
        """Run a typed action on the alerts or the model that are chosen on the screen."""
        if action.request is UndoRequest:
            self.undo()
            return
        screen = self._port.current_screen
        about = Selection()
        if screen is not None:
            chosen = screen.choose_alerts()
            is_open = action.subject is Subject.OPEN_ALERTS
            episodes = chosen.open if is_open else chosen.all
            about = Selection(episodes, screen.subject, screen.pointed)
        is_change = action.subject is Subject.MODEL
        has_subject = about.model if is_change else about.episodes
        if is_change and (refusal := self._refusal(action)):
            self._port.say(refusal)
        elif action.subject in _NOTHING_CHOSEN and not has_subject:
            self._port.say(_NOTHING_CHOSEN[action.subject])
        else:
            self._run(action, about, text)

    def _run(self, action: Action, about: Selection, text: str) -> None:
        if (refusal := self._refusal(action)) or self._actor is None:
            self._port.say(refusal)
            return
        try:
            request = action.request.parse(text, about)
        except ArgumentError as error:
            self._port.say(str(error))
            return
        work = partial(perform, self._actor, request, self._port.clock())
        then = partial(self._show_result, action, request)
        self._port.run_in_thread(work, then, "actions", exclusive=False)

    def _refusal(self, action: Action) -> str:
        """The reason why an action is refused now; empty when it is allowed."""
        state, actor = self._port.view_state, self._actor
        is_change = action.subject is Subject.MODEL
        if state.settings.read_only or actor is None or actor.role is ActorRole.VIEWER:
            refused = "no change is marked" if is_change else "nothing is done to alerts"
            return f"this console is read-only: {refused} from it"
        if state.board is not None and not state.board.live and not is_change:
            return "this is the past: L goes back to now, where something can be done"
        return ""

    def _show_result(self, action: Action, request: ActionRequest, result: ActionResult) -> None:
        """Show the result of an action; if it did nothing, undo is for the action before."""
        if isinstance(request, ChangeRequest):
            self._show_change(request, result)
        elif not result.undo:
            self._port.say(result.words)
        elif not action.can_undo:
            self._last = ()
            self._port.say(result.words)
        else:
            self._last = result.undo
            undo = key_label("undo", self._port.view_state.settings.keys)
            words = f"{result.words}; {undo} takes it back ({UNDO_WINDOW // 1_000} s)"
            self._port.say(words, UNDO_WINDOW)

    def _show_change(self, request: ChangeRequest, result: ActionResult) -> None:
        at = self._port.clock() if request.at is None else request.at
        where = f"{clean(request.model, 60)} at {self._time(at, '%Y-%m-%d')}"
        words = f"{request.what}: {clean(request.text, 80)}"
        self._port.say(f"marked on {where}: {words} (change {result.affected[0]})")
        if screen := self._port.current_screen:
            screen.reload()

    def undo(self) -> None:
        """Undo the newest action of this console, or show a notice when there is none."""
        action = next(one for one in ACTIONS if one.request is UndoRequest)
        if not self._last:
            self._port.say("nothing was done here that can be taken back")
        elif (refusal := self._refusal(action)) or self._actor is None:
            self._port.say(refusal)
        else:
            work = partial(perform, self._actor, UndoRequest(tuple(self._last)), self._port.clock())
            self._port.run_in_thread(work, self._show_undone, "actions", exclusive=False)

    def _show_undone(self, result: ActionResult) -> None:
        """Show the result of an undo, which itself cannot be undone."""
        self._last = ()
        self._port.say(result.words)
