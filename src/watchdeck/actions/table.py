"""The table of all actions, from which keys, `:` commands, palette, help and shell are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from watchdeck.actions import requests
from watchdeck.actions.action import Action, ActionKey, Form, Place, Shell, ShellArgument, Subject
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
        words="Acknowledge the chosen alerts: [2h] [NOTE]",
        subject=Subject.OPEN_ALERTS,
        takes="NOTE",
        is_bare=True,
        keys=(
            ActionKey("deck.acknowledge", "a", "Acknowledge the worst alert", "ack", Place.DECK),
            ActionKey("ack.set", "a", "Acknowledge it for the usual time", "ack"),
            ActionKey("ack.with", "A", "Acknowledge it for a time, with a note", begins="ack "),
        ),
        shell=Shell(
            "ack",
            "Acknowledge alerts, for a while.",
            "Acknowledge the alerts WHICH: numbers of episodes, or labels such as model=fraud.",
            (
                _WHICH,
                ShellArgument(
                    "length", "--for", Form.LENGTH, "For how long; else for the usual time."
                ),
                ShellArgument("note", "--note", Form.TEXT, "What you know already."),
            ),
        ),
    ),
    Action(
        name="takeover",
        request=requests.TakeOverRequest,
        words="Take the chosen alerts over from their owners",
        subject=Subject.OPEN_ALERTS,
        keys=(ActionKey("ack.takeover", "t", "Take it over from its owner"),),
        shell=Shell(
            "ack",
            option=ShellArgument("", "--take-over", Form.FLAG, "Take it over from its owner."),
        ),
    ),
    Action(
        name="unack",
        request=requests.UnacknowledgeRequest,
        words="End the acknowledgement of the chosen alerts",
        subject=Subject.OPEN_ALERTS,
        keys=(ActionKey("ack.end", "U", "End the acknowledgement"),),
        shell=Shell(
            "unack",
            "End acknowledgements.",
            "End the acknowledgement of the alerts WHICH.",
            (_WHICH,),
        ),
    ),
    Action(
        name="escalate",
        request=requests.EscalateRequest,
        words="Escalate the chosen alerts to the next step",
        subject=Subject.OPEN_ALERTS,
        keys=(ActionKey("alert.escalate", "e", "Escalate it to the next step"),),
        shell=Shell(
            "escalate",
            "Escalate alerts to the next step at once.",
            "Escalate the alerts WHICH to the next step at once.",
            (_WHICH,),
        ),
    ),
    Action(
        name="silence",
        request=requests.SilenceRequest,
        words="Silence alerts: model=NAME 2h REASON",
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
            "Silence alerts for a while.",
            "Silence alerts with the labels WHICH: model=fraud, rule=~latency-.* and so on.",
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
                    help="End it when the alerts that it hides have ended.",
                ),
            ),
        ),
    ),
    Action(
        name="unsilence",
        request=requests.UnsilenceRequest,
        words="End a silence",
        subject=Subject.NOTHING,
        takes="NUMBER",
        shell=Shell(
            "unsilence",
            "End a silence early.",
            "End the silence NUMBER; `watchdeck alerts` lists the active ones.",
            (_NUMBER,),
        ),
    ),
    Action(
        name="note",
        request=requests.NoteRequest,
        words="Write a note on the chosen alerts",
        subject=Subject.ALERTS,
        takes="TEXT",
        keys=(ActionKey("alert.note", "n", "Write a note", "note", begins="note "),),
        shell=Shell(
            "note",
            "Write a note on an alert, or rate it.",
            "Write TEXT on the alert WHICH, open or ended.",
            (
                ShellArgument("episodes", "WHICH", Form.ALERT, is_required=True),
                ShellArgument("text", "TEXT", Form.TEXT),
            ),
        ),
    ),
    Action(
        name="resolve",
        request=requests.ResolveRequest,
        words="End the chosen alerts by hand",
        subject=Subject.OPEN_ALERTS,
        takes="NOTE",
        keys=(ActionKey("alert.resolve", "R", "End it by hand, with a note", begins="resolve "),),
        shell=Shell(
            "resolve",
            "End alerts by hand, with a note.",
            "End the alerts WHICH by hand; a condition that stays true fires again.",
            (
                _WHICH,
                ShellArgument("note", "--note", Form.TEXT, "Why it is over.", is_required=True),
            ),
        ),
    ),
    Action(
        name="pin",
        request=requests.PinRequest,
        words="Pin a known issue: model=NAME 1d TEXT",
        subject=Subject.NOTHING,
        takes="WHAT",
        keys=(
            ActionKey(
                *("alert.pin", "P", "Pin a known issue to its model"),
                begins="pin {model} 1d ",
            ),
        ),
        shell=Shell(
            "pin",
            "Pin a known issue to a model or a rule.",
            "Pin TEXT, a known issue, to a model or a rule until it expires.",
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
        words="Remove a known issue",
        subject=Subject.NOTHING,
        takes="NUMBER",
        shell=Shell(
            "pin",
            option=ShellArgument(
                *("number", "--end", Form.NUMBER), help="Remove the known issue NUMBER."
            ),
        ),
        can_undo=False,
    ),
    Action(
        name="opinion",
        request=requests.FeedbackRequest,
        words="Rate an ended alert",
        subject=Subject.ALERTS,
        is_typed=False,
        keys=(
            ActionKey("alert.useful", "plus", "It has ended: it was useful", text="useful"),
            ActionKey("alert.noise", "minus", "It has ended: it was noise", text="noise"),
            ActionKey("alert.late", "equals_sign", "It has ended: it came too late", text="late"),
        ),
        shell=Shell(
            "note",
            option=ShellArgument(
                *("opinion", "--opinion", Form.FEEDBACK), help="Rate an ended alert."
            ),
            beside=True,
        ),
    ),
    Action(
        name="undo",
        request=requests.UndoRequest,
        words="Undo the last action",
        subject=Subject.NOTHING,
        keys=(ActionKey("undo", "u", "Undo the last action", where=Place.EVERYWHERE),),
        can_undo=False,
    ),
)
"""Every action, in the order of the palette."""

NOT_IN_THE_SHELL = {"undo": "it undoes the last action of one console"}
"""Actions that the shell lacks, and why."""

NOT_ON_A_KEY = {
    "change": "its text is typed after :change",
    "unsilence": "the number of a silence is typed after :unsilence",
    "unpin": "the number of a known issue is typed after :unpin",
}
"""Actions without a key, and why."""

NOT_TYPED = {"opinion": "its three words are three keys"}
"""Actions that cannot be typed after `:` in the console, and why."""

ActionFunction = Callable[[Actor, Any, int], "ActionResult"]
"""Runs an action for an actor, on its request, at a time (ms UTC)."""

_BY_REQUEST = {action.request: action for action in ACTIONS}


def shell_summaries() -> dict[str, str]:
    """The shell commands of actions, each with its line in the list of commands."""
    shells = (action.shell for action in ACTIONS if action.shell is not None)
    return {shell.command: shell.summary for shell in shells if shell.summary}


def perform(actor: Actor, request: requests.ActionRequest, now: int) -> ActionResult:
    """Run the action of a request, at `now` (ms UTC).

    Raises WatchdeckError when the actor's role does not allow it, or when it cannot be done.
    """
    action = _BY_REQUEST[type(request)]
    if actor.role < action.role:
        raise WatchdeckError(f"{action.name} needs the role {action.role.name.lower()}")
    return functions()[type(request)](actor, request, now)


@cache
def functions() -> Mapping[type[requests.ActionRequest], ActionFunction]:
    """The function of each action, by the type of its request.

    Their modules are imported at the first call, not at the start of a console: that takes 40 ms.
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
