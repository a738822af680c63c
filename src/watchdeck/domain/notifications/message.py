"""Paging: which steps of an episode somebody is told of, and in which words.

Few: that it fires, got worse, is over, flaps or can no longer be seen. Nobody is told of a muted
alert; the page that it owes is sent when nothing mutes it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    AlertEvent,
    AlertState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import REOPEN_WINDOW
from watchdeck.domain.notifications.summary import LONGEST, summary
from watchdeck.domain.rules.rule import NoData, Rule
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.severity import Severity
from watchdeck.domain.values.text import clean

HOUR = 3_600_000
"""How often (ms) somebody is told of an alert that flaps on."""


class MessageKind(StrEnum):
    """What a message is for; all that a `notice` says of an alert is of one that pages nobody."""

    PAGE = "page"
    NOTICE = "notice"
    WORSE = "worse"
    NO_DATA = "no_data"
    FLAPPING = "flapping"
    ACK_EXPIRED = "ack_expired"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    GAVE_UP = "gave_up"


class Message(Struct, frozen=True):
    """What is to be told of an episode; routes decide to whom.

    The same `dedup_key` is the same message, however often it is made. `people` are told beside
    those whom a route names.
    """

    kind: MessageKind
    episode: int
    severity: Severity
    dedup_key: str
    text: str
    people: tuple[str, ...] = ()


def messages_for(
    transition: Transition, raised: ActiveAlert, rule: Rule | None = None
) -> tuple[Message, ...]:
    """The messages that a step calls for, one at most.

    `raised` is the alert after the step, with the mutes of that moment and the acknowledgement of
    the one before; `rule` is None of an alert that no rule of ours raised. Of an alert that
    somebody was paged for, the end is told even when it is muted.
    """
    tell = _TOLD.get(transition.verb)
    if tell is None or (raised.mutes and transition.verb is not AlertEvent.RESOLVED):
        return ()
    message = tell(transition, raised, rule)
    return () if message is None else (message,)


def overdue_page(raised: ActiveAlert, rule: Rule | None = None) -> tuple[Message, ...]:
    """The page of an alert that fires, that nobody was paged for, and that nothing mutes any more.

    To be asked when a silence or whatever muted it is over. It is the page that was not sent.
    """
    episode = raised.episode
    quiet = raised.mutes or raised.acknowledgement or episode.paged_at is not None
    if quiet or episode.condition is not AlertState.FIRING or not episode.severity.pages:
        return ()
    return (_message(MessageKind.PAGE, raised, "", summary(raised.alert, episode, rule)),)


def reopened_page(raised: ActiveAlert, now: int, rule: Rule | None = None) -> tuple[Message, ...]:
    """The page of an alert that came back, once nobody took it for as long as it may come back in.

    That it came back is no news at first; but everybody outside was told that it is over.
    """
    episode = raised.episode
    quiet = raised.mutes or raised.acknowledgement or episode.paged_at is None
    if quiet or episode.condition is not AlertState.FIRING or not episode.severity.pages:
        return ()
    waited = now - (episode.paged_at or now)
    if not episode.reopened or waited < REOPEN_WINDOW:
        return ()
    about = summary(raised.alert, episode, rule)
    text = f"back for {format_duration(waited)}, and nobody has it: {about}"
    return (_message(MessageKind.PAGE, raised, f"back/{episode.reopened}", text),)


def digest(raised: ActiveAlert, now: int, rule: Rule | None = None) -> tuple[Message, ...]:
    """What is told once an hour of an alert that flaps on; to be asked more often than that."""
    episode = raised.episode
    hours = (now - (episode.flapped_at or now)) // HOUR
    if hours < 1 or not episode.flapping or raised.mutes or raised.acknowledgement:
        return ()
    text = f"flapping for {hours}h: {summary(raised.alert, episode, rule)}"
    return (_message(MessageKind.FLAPPING, raised, f"{episode.flapped_at}/{hours}", text),)


def acknowledgement_message(
    kind: MessageKind, raised: ActiveAlert, ack: Acknowledgement, rule: Rule | None = None
) -> tuple[Message, ...]:
    """What is told of an acknowledgement: it is there, given back, about to expire, or expired.

    Whoever was not paged needs not know who has it. That time runs out is told while it fires and
    nothing mutes it, and to the owner too.
    """
    words, runs_out = _HANDLED[kind]
    episode = raised.episode
    idle = not _burns(episode) or bool(raised.mutes)
    if idle if runs_out else episode.paged_at is None:
        return ()
    text = f"{ack.by}{words}: {summary(raised.alert, episode, rule)}"
    return (_message(kind, raised, str(ack.id), text, (ack.by,) if runs_out else ()),)


def _burns(episode: Episode) -> bool:
    return episode.condition in (AlertState.FIRING, AlertState.CLEARING)


def _message(
    kind: MessageKind, raised: ActiveAlert, which: str, text: str, people: tuple[str, ...] = ()
) -> Message:
    """`which` tells apart the messages of one kind about one episode.

    A notice has a key of its own, so that it never stands in the way of a page.
    """
    episode = raised.episode
    calls = episode.severity.pages or kind not in _CALLS
    shown = kind if calls else MessageKind.NOTICE
    parts = ("watchdeck", str(episode.id), "" if calls else shown.value, kind.value, which)
    key = "/".join(part for part in parts if part)
    return Message(shown, episode.id, episode.severity, key, text, people)


def _fired(_: Transition, raised: ActiveAlert, rule: Rule | None) -> Message:
    return _message(MessageKind.PAGE, raised, "", summary(raised.alert, raised.episode, rule))


def _worse(step: Transition, raised: ActiveAlert, rule: Rule | None) -> Message | None:
    if not _burns(raised.episode):
        return None
    ack = raised.acknowledgement
    than = f", worse than when {ack.by} acknowledged it" if ack else ""
    text = f"{step.why}{than}: {summary(raised.alert, raised.episode, rule)}"
    return _message(MessageKind.WORSE, raised, str(step.at), text)


def _no_data(step: Transition, raised: ActiveAlert, rule: Rule | None) -> Message | None:
    """One for the whole target: the rules that lose it by the same sample share the key."""
    alert, episode = raised.alert, raised.episode
    ignored = rule is not None and rule.no_data is NoData.IGNORE
    if ignored or not _burns(episode):
        return None
    target = alert.model or alert.source
    text = f"{target}: {step.why}; {alert.rule} was {episode.condition.value}"
    message = _message(MessageKind.NO_DATA, raised, "", clean(text, LONGEST))
    return replace(message, dedup_key=f"watchdeck/{message.kind}/{target}/{episode.seen_at}")


def _flapping(_: Transition, raised: ActiveAlert, rule: Rule | None) -> Message | None:
    if raised.acknowledgement:
        return None
    text = f"flapping, told again every hour: {summary(raised.alert, raised.episode, rule)}"
    return _message(MessageKind.FLAPPING, raised, f"{raised.episode.flapped_at}/0", text)


def _resolved(step: Transition, raised: ActiveAlert, rule: Rule | None) -> Message | None:
    episode = raised.episode
    if episode.paged_at is None:
        return None
    lasted = format_duration(step.at - episode.started_at)
    by_hand = f" ({step.why})" if episode.end_reason is EndReason.MANUAL else ""
    text = f"over after {lasted}{by_hand}: {summary(raised.alert, episode, rule)}"
    return _message(MessageKind.RESOLVED, raised, str(episode.reopened), text)


_CALLS = (
    MessageKind.PAGE,
    MessageKind.WORSE,
    MessageKind.NO_DATA,
    MessageKind.FLAPPING,
    MessageKind.ACK_EXPIRED,
    MessageKind.REMINDER,
)

_HANDLED = {
    MessageKind.ACKNOWLEDGED: (" has it", False),
    MessageKind.UNACKNOWLEDGED: (" gave it back", False),
    MessageKind.REMINDER: ("'s acknowledgement is about to expire", True),
    MessageKind.ACK_EXPIRED: ("'s acknowledgement expired", True),
}

_TOLD: dict[AlertEvent, Callable[[Transition, ActiveAlert, Rule | None], Message | None]] = {
    AlertEvent.FIRED: _fired,
    AlertEvent.WORSE: _worse,
    AlertEvent.NO_DATA: _no_data,
    AlertEvent.FLAPPING_ON: _flapping,
    AlertEvent.RESOLVED: _resolved,
}
