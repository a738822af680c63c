"""Messages: which transitions of an episode are worth a message, and its text.

On the way out a `Transition` becomes a `Message` (here), routes make it one `OutboxEntry` a channel
(`routing`), the store saves that as an `OutboxRow`, and rows of one group are sent together as a
`Notification` (`outbox`). A muted alert makes no message; an owed page follows when the mute ends.
"""

import re
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    Alert,
    AlertEvent,
    AlertState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import REOPEN_WINDOW
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import NoData, Rule, Severity
from watchdeck.domain.values.format import digits, format_duration, format_value
from watchdeck.domain.values.text import clean

FLAPPING_INTERVAL = 3_600_000
"""Interval (ms) of messages about an alert that keeps flapping."""

MAX_TEXT = 400
"""The most characters of the text of a message."""

_PLACEHOLDER = re.compile(r"\{([^{}]{0,80})\}")


class MessageKind(StrEnum):
    """The purpose of a message; a severity that does not page sends a `notice` instead."""

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
    """One event of an episode that somebody is to know; routes decide by which channels.

    Messages with the same `dedup_key` are the same message, sent once. `people` are notified in
    addition to the routes.
    """

    kind: MessageKind
    episode: int
    severity: Severity
    dedup_key: str
    text: str
    people: tuple[str, ...] = ()


def messages_for(
    transition: Transition, active: ActiveAlert, rule: Rule | None = None
) -> tuple[Message, ...]:
    """The messages for a transition, at most one.

    `active` is the alert after the transition, with the mutes of that time, but the acknowledgement
    from before it; `rule` is None for an external alert. The end of an alert that paged is sent
    even while it is muted.
    """
    make = _MESSAGE_MAKERS.get(transition.verb)
    if make is None or (active.mutes and transition.verb is not AlertEvent.RESOLVED):
        return ()
    message = make(transition, active, rule)
    return () if message is None else (message,)


def overdue_page(active: ActiveAlert, rule: Rule | None = None) -> tuple[Message, ...]:
    """The page not sent because of a mute, if the alert still fires; call it when a mute ends."""
    if not _can_page(active) or active.episode.paged_at is not None:
        return ()
    return (_make_message(MessageKind.PAGE, active, "", _subject(active, rule)),)


def reopened_page(active: ActiveAlert, now: int, rule: Rule | None = None) -> tuple[Message, ...]:
    """The page of a reopened alert that nobody acknowledged within `REOPEN_WINDOW`, else empty.

    Reopening itself sends nothing, so until this page people believe that the alert is over.
    """
    episode = active.episode
    waited = now - (episode.paged_at or now)
    if not _can_page(active) or not episode.reopened or waited < REOPEN_WINDOW:
        return ()
    text = f"back for {format_duration(waited)}, and nobody has it: {_subject(active, rule)}"
    return (_make_message(MessageKind.PAGE, active, f"back/{episode.reopened}", text),)


def flapping_digest(active: ActiveAlert, now: int, rule: Rule | None = None) -> tuple[Message, ...]:
    """The hourly message about an alert that keeps flapping; empty when none is due.

    Calls within one hour return the same message, by its key; call it more often than hourly.
    """
    episode = active.episode
    hours = (now - (episode.flapped_at or now)) // FLAPPING_INTERVAL
    if hours < 1 or not episode.flapping or active.mutes or active.acknowledgement:
        return ()
    text = f"flapping for {hours}h: {_subject(active, rule)}"
    return (_make_message(MessageKind.FLAPPING, active, f"{episode.flapped_at}/{hours}", text),)


def acknowledgement_message(
    kind: MessageKind, active: ActiveAlert, ack: Acknowledgement, rule: Rule | None = None
) -> tuple[Message, ...]:
    """The message of this `kind` about an acknowledgement; empty when nobody is to be notified.

    ACKNOWLEDGED and UNACKNOWLEDGED are sent only for an alert that paged. REMINDER and ACK_EXPIRED
    are sent while the alert fires and is not muted, also to the owner.
    """
    words, is_expiry = _ACKNOWLEDGEMENT_TEXTS[kind]
    is_idle = not active.episode.is_firing or bool(active.mutes)
    if is_idle if is_expiry else active.episode.paged_at is None:
        return ()
    text = f"{ack.by}{words}: {_subject(active, rule)}"
    return (_make_message(kind, active, str(ack.id), text, (ack.by,) if is_expiry else ()),)


def _can_page(active: ActiveAlert) -> bool:
    """Whether an alert fires with a paging severity, and is neither muted nor acknowledged."""
    episode = active.episode
    is_quiet = active.mutes or active.acknowledgement is not None
    return episode.condition is AlertState.FIRING and episode.severity.is_paging and not is_quiet


def _make_message(
    kind: MessageKind, active: ActiveAlert, which: str, text: str, people: tuple[str, ...] = ()
) -> Message:
    """Make a message; `which` distinguishes messages of one kind about one episode.

    The key of a notice is its own, so that a later page is not a duplicate of the notice.
    """
    episode = active.episode
    is_notice = kind in _PAGING_KINDS and not episode.severity.is_paging
    sent_as = MessageKind.NOTICE if is_notice else kind
    parts = ("watchdeck", str(episode.id), "notice" if is_notice else "", kind.value, which)
    key = "/".join(part for part in parts if part)
    return Message(sent_as, episode.id, episode.severity, key, text, people)


def _subject(active: ActiveAlert, rule: Rule | None) -> str:
    return summary(active.alert, active.episode, rule)


def _page_message(_: Transition, active: ActiveAlert, rule: Rule | None) -> Message:
    return _make_message(MessageKind.PAGE, active, "", _subject(active, rule))


def _worse_message(step: Transition, active: ActiveAlert, rule: Rule | None) -> Message | None:
    if not active.episode.is_firing:
        return None
    ack = active.acknowledgement
    than = f", worse than when {ack.by} acknowledged it" if ack else ""
    text = f"{step.why}{than}: {_subject(active, rule)}"
    return _make_message(MessageKind.WORSE, active, str(step.at), text)


def _no_data_message(step: Transition, active: ActiveAlert, rule: Rule | None) -> Message | None:
    """Make one message for a target: rules that miss data since the same sample share its key."""
    alert, episode = active.alert, active.episode
    ignored = rule is not None and rule.no_data is NoData.IGNORE
    if ignored or not episode.is_firing:
        return None
    target = alert.model or alert.source
    text = f"{target}: {step.why}; {alert.rule} was {episode.condition.value}"
    message = _make_message(MessageKind.NO_DATA, active, "", clean(text, MAX_TEXT))
    return replace(message, dedup_key=f"watchdeck/{message.kind}/{target}/{episode.seen_at}")


def _flapping_message(_: Transition, active: ActiveAlert, rule: Rule | None) -> Message | None:
    if active.acknowledgement:
        return None
    text = f"flapping, told again every hour: {_subject(active, rule)}"
    return _make_message(MessageKind.FLAPPING, active, f"{active.episode.flapped_at}/0", text)


def _resolved_message(step: Transition, active: ActiveAlert, rule: Rule | None) -> Message | None:
    episode = active.episode
    if episode.paged_at is None:
        return None
    lasted = format_duration(step.at - episode.started_at)
    by_hand = f" ({step.why})" if episode.end_reason is EndReason.MANUAL else ""
    text = f"over after {lasted}{by_hand}: {_subject(active, rule)}"
    return _make_message(MessageKind.RESOLVED, active, str(episode.reopened), text)


_PAGING_KINDS = (
    MessageKind.PAGE,
    MessageKind.WORSE,
    MessageKind.NO_DATA,
    MessageKind.FLAPPING,
    MessageKind.ACK_EXPIRED,
    MessageKind.REMINDER,
)

_ACKNOWLEDGEMENT_TEXTS = {
    MessageKind.ACKNOWLEDGED: (" has it", False),
    MessageKind.UNACKNOWLEDGED: (" gave it back", False),
    MessageKind.REMINDER: ("'s acknowledgement is about to expire", True),
    MessageKind.ACK_EXPIRED: ("'s acknowledgement expired", True),
}

_MESSAGE_MAKERS: dict[
    AlertEvent, Callable[[Transition, ActiveAlert, Rule | None], Message | None]
] = {
    AlertEvent.FIRED: _page_message,
    AlertEvent.WORSE: _worse_message,
    AlertEvent.NO_DATA: _no_data_message,
    AlertEvent.FLAPPING_ON: _flapping_message,
    AlertEvent.RESOLVED: _resolved_message,
}


def summary(alert: Alert, episode: Episode, rule: Rule | None = None) -> str:
    """One line about an episode: the rule's `message` filled in, else the model and the reason."""
    if rule is not None and rule.message:
        values = _template_values(alert, episode, rule)
        text = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), rule.message)
        return clean(text, MAX_TEXT)
    about, why = alert.model or alert.source, episode.why or alert.rule
    return clean(why if why.startswith(about) else f"{about}: {why}", MAX_TEXT)


def _template_values(alert: Alert, episode: Episode, rule: Rule) -> dict[str, str]:
    """The values of the placeholders in a rule's message, by name: every label, value and limit.

    Value and limit have their unit. An unknown placeholder stays as written.
    """
    signal = SIGNALS.get(getattr(rule.test, "signal", ""))
    known = {
        "model": alert.model,
        "rule": alert.rule,
        "severity": str(int(episode.severity)),
        "why": episode.why,
    }
    for name, number in (("value", episode.value), ("limit", episode.limit)):
        plain = "unknown" if number is None else digits(number)
        known[name] = plain if signal is None else format_value(number, signal.unit)
    return {**alert.labels, **known}
