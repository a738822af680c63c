"""The table of an operator's actions: keys, `:` commands, palette, help and the shell read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from watchdeck.actions import arguments, requests
from watchdeck.actions.action import (
    Action,
    ActionKey,
    Form,
    Place,
    Shell,
    ShellArgument,
    Subject,
)
from watchdeck.actions.actor import Actor
from watchdeck.domain.board.change import REPORTED_KINDS
from watchdeck.errors import WatchdeckError

if TYPE_CHECKING:
    from watchdeck.actions.transaction import ActionResult

_WHICH = ShellArgument("episodes", "WHICH", Form.ALERTS, is_required=True)
_NUMBER = ShellArgument("number", "NUMBER", Form.NUMBER, is_required=True)

ACTIONS = (
    Action(
        name="change",
        request=requests.ChangeRequest,
        parse=arguments.parse_change,
        words="Mark a change of the model in focus",
        subject=Subject.MODEL,
        takes="TEXT",
        choices=tuple(f"--what {kind} " for kind in REPORTED_KINDS),
        shell=Shell("change add"),
        can_undo=False,
    ),
    Action(
        name="ack",
        request=requests.AcknowledgeRequest,
        parse=arguments.parse_acknowledge,
        words="Take the chosen alerts: [2h] [NOTE]",
        subject=Subject.OPEN_ALERTS,
        takes="NOTE",
        is_bare=True,
        keys=(
            ActionKey("deck.acknowledge", "a", "Take the worst alert", "ack", Place.DECK),
            ActionKey("ack.set", "a", "Take it, for as long as is usual", "ack"),
            ActionKey("ack.with", "A", "Take it for a time, with a note", begins="ack "),
        ),
        shell=Shell(
            "ack",
            "Take alerts, for a while.",
            "Take the alerts WHICH: numbers of episodes, or labels such as model=fraud.",
            (
                _WHICH,
                ShellArgument("length", "--for", Form.LENGTH, "For how long; else as is usual."),
                ShellArgument("note", "--note", Form.TEXT, "What you know already."),
            ),
        ),
    ),
    Action(
        name="takeover",
        request=requests.TakeOverRequest,
        parse=arguments.parse_take_over,
        words="Take the chosen alerts from who has them",
        subject=Subject.OPEN_ALERTS,
        keys=(ActionKey("ack.takeover", "t", "Take it from who has it"),),
        shell=Shell(
            "ack",
            option=ShellArgument("", "--take-over", Form.FLAG, "Take it from who has it."),
        ),
    ),
    Action(
        name="unack",
        request=requests.UnacknowledgeRequest,
        parse=arguments.parse_unacknowledge,
        words="Give the chosen alerts back",
        subject=Subject.OPEN_ALERTS,
        keys=(ActionKey("ack.end", "U", "Give it back"),),
        shell=Shell(
            "unack",
            "Give alerts back.",
            "Give the alerts WHICH back: they are nobody's.",
            (_WHICH,),
        ),
    ),
    Action(
        name="escalate",
        request=requests.EscalateRequest,
        parse=arguments.parse_escalate,
        words="Tell those who come next of the chosen alerts",
        subject=Subject.OPEN_ALERTS,
        keys=(ActionKey("alert.escalate", "e", "Tell those who come next"),),
        shell=Shell(
            "escalate",
            "Notify the next step of an escalation at once.",
            "Notify those who come next in the escalation of the alerts WHICH.",
            (_WHICH,),
        ),
    ),
    Action(
        name="resolve",
        request=requests.ResolveRequest,
        parse=arguments.parse_resolve,
        words="End the chosen alerts by hand",
        subject=Subject.OPEN_ALERTS,
        takes="NOTE",
        keys=(ActionKey("alert.resolve", "R", "End it by hand, with a note", begins="resolve "),),
        shell=Shell(
            "resolve",
            "End alerts by hand, with a note.",
            "End the alerts WHICH by hand; what is still true a while later fires anew.",
            (
                _WHICH,
                ShellArgument("note", "--note", Form.TEXT, "Why it is over.", is_required=True),
            ),
        ),
    ),
    Action(
        name="note",
        request=requests.NoteRequest,
        parse=arguments.parse_note,
        words="Write a note on the chosen alerts",
        subject=Subject.ALERTS,
        takes="TEXT",
        keys=(ActionKey("alert.note", "n", "Write a note", "note", begins="note "),),
        shell=Shell(
            "note",
            "Write on an alert, or say what it was worth.",
            "Write TEXT on the alert WHICH, open or over.",
            (
                ShellArgument("episodes", "WHICH", Form.ALERT, is_required=True),
                ShellArgument("text", "TEXT", Form.TEXT),
            ),
        ),
    ),
    Action(
        name="opinion",
        request=requests.FeedbackRequest,
        parse=arguments.parse_feedback,
        words="Say what an alert that is over was worth",
        subject=Subject.ALERTS,
        is_typed=False,
        keys=(
            ActionKey("alert.useful", "plus", "It was useful, now it is over", text="useful"),
            ActionKey("alert.noise", "minus", "It was noise", text="noise"),
            ActionKey("alert.late", "equals_sign", "It came too late", text="late"),
        ),
        shell=Shell(
            "note",
            option=ShellArgument(
                *("opinion", "--opinion", Form.FEEDBACK),
                help="What an alert that is over was worth.",
            ),
            beside=True,
        ),
    ),
    Action(
        name="silence",
        request=requests.SilenceRequest,
        parse=arguments.parse_silence,
        words="Tell nobody: model=NAME 2h REASON",
        subject=Subject.NOTHING,
        takes="WHICH",
        keys=(
            ActionKey(
                *("alert.silence", "s", "Silence it for a while", "silence"),
                begins="silence {labels} 2h ",
            ),
        ),
        shell=Shell(
            "silence",
            "Have nobody told of some alerts for a while.",
            "Have nobody told of alerts with the labels WHICH: model=fraud, rule=~latency-.* and"
            " so on.",
            (
                ShellArgument("matchers", "WHICH", Form.MATCHERS, is_required=True),
                ShellArgument(
                    *("length", "--for", Form.LENGTH, "For how long: 2h, a week."), is_required=True
                ),
                ShellArgument(
                    *("reason", "--reason", Form.TEXT, "Why: whoever is on call next reads it."),
                    is_required=True,
                ),
                ShellArgument(
                    *("until_resolved", "--until-resolved", Form.FLAG),
                    help="End it when what it hides is over.",
                ),
            ),
        ),
    ),
    Action(
        name="unsilence",
        request=requests.UnsilenceRequest,
        parse=arguments.parse_unsilence,
        words="End a silence",
        subject=Subject.NOTHING,
        takes="NUMBER",
        shell=Shell(
            "unsilence",
            "End a silence before its time.",
            "End the silence NUMBER; `watchdeck alerts` lists those in force.",
            (_NUMBER,),
        ),
    ),
    Action(
        name="pin",
        request=requests.PinRequest,
        parse=arguments.parse_pin,
        words="Pin a known issue: model=NAME 1d TEXT",
        subject=Subject.NOTHING,
        takes="WHAT",
        keys=(
            ActionKey(
                *("alert.pin", "P", "Pin a known issue on its model"),
                begins="pin model={model} 1d ",
            ),
        ),
        shell=Shell(
            "pin",
            "Pin a known issue on a model or a rule.",
            "Pin TEXT, which is known, on a model or a rule until it expires.",
            (
                ShellArgument("text", "TEXT", Form.TEXT),
                ShellArgument("model", "--model", Form.TEXT, "The model that it is about."),
                ShellArgument("rule", "--rule", Form.TEXT, "The rule that it is about."),
                ShellArgument(
                    *("length", "--for", Form.LENGTH, "For how long it is shown."), is_required=True
                ),
            ),
        ),
    ),
    Action(
        name="unpin",
        request=requests.UnpinRequest,
        parse=arguments.parse_unpin,
        words="Take a known issue away",
        subject=Subject.NOTHING,
        takes="NUMBER",
        shell=Shell(
            "pin",
            option=ShellArgument(
                *("number", "--end", Form.NUMBER), help="Take the known issue NUMBER away."
            ),
        ),
    ),
    Action(
        name="undo",
        request=requests.UndoRequest,
        parse=arguments.parse_undo,
        words="Take back what was just done",
        subject=Subject.NOTHING,
        keys=(ActionKey("undo", "u", "Take back what was just done", where=Place.EVERYWHERE),),
        can_undo=False,
    ),
)
"""Every action, in the order of the palette."""

NOT_IN_THE_SHELL = {"undo": "it undoes what one has just done at this console"}
"""Actions that the shell lacks, and why."""

NOT_ON_A_KEY = {
    "change": "its text is typed after :change",
    "unsilence": "the number of a silence is typed after :unsilence",
    "unpin": "the number of a known issue is typed after :unpin",
}
"""Actions that no key asks for, and why."""

NOT_TYPED = {"opinion": "its three words are three keys"}
"""Actions that the console does not take by name, and why."""

ActionFunction = Callable[[Actor, Any, int], "ActionResult"]
"""Runs an action for an actor, on its request, at a time (ms UTC)."""

_BY_NAME = {action.name: action for action in ACTIONS}
_BY_REQUEST = {action.request: action for action in ACTIONS}


def action_named(name: str) -> Action:
    """The action of a name. Raises KeyError."""
    return _BY_NAME[name]


def shell_summaries() -> dict[str, str]:
    """The shell commands that actions have of their own, each with its line in the list."""
    shells = (action.shell for action in ACTIONS if action.shell is not None)
    return {shell.command: shell.summary for shell in shells if shell.summary}


def perform(actor: Actor, request: requests.ActionRequest, now: int) -> ActionResult:
    """Run the action that a request asks for, at `now` (ms UTC).

    Raises WatchdeckError when the actor's role does not allow it, or when it cannot be done.
    """
    action = _BY_REQUEST[type(request)]
    if actor.role < action.role:
        raise WatchdeckError(f"{action.name} needs the role {action.role.name.lower()}")
    return functions()[type(request)](actor, request, now)


@cache
def functions() -> Mapping[type[requests.ActionRequest], ActionFunction]:
    """The function of every action.

    Loading them costs 40 ms, which no first frame of a console should wait for.
    """
    from watchdeck.actions.alerts import acknowledge, escalate, resolve, silence, undo
    from watchdeck.actions.change import mark_change

    return {
        requests.ChangeRequest: mark_change,
        requests.AcknowledgeRequest: acknowledge.acknowledge,
        requests.TakeOverRequest: acknowledge.take_over,
        requests.UnacknowledgeRequest: acknowledge.unacknowledge,
        requests.EscalateRequest: escalate.escalate,
        requests.ResolveRequest: resolve.resolve,
        requests.NoteRequest: resolve.note,
        requests.FeedbackRequest: resolve.give_feedback,
        requests.SilenceRequest: silence.silence,
        requests.UnsilenceRequest: silence.unsilence,
        requests.PinRequest: silence.pin,
        requests.UnpinRequest: silence.unpin,
        requests.UndoRequest: undo.undo,
    }
