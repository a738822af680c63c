"""Messages: which transitions of an episode are worth a message, and its text.

On the way out a `Transition` becomes a `Message` (here), routes make it one `OutboxEntry` a channel
(`routing`), the store saves that as an `OutboxRow`, and rows of one group are sent together as a
`Notification` (`outbox`). A muted alert makes no message; an owed page follows when the mute ends.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    Alert,
    AlertEvent,
    AlertState,
    DataState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.flapping import CALM_QUIET
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Absent, Burn, NoData, Rule, Severity
from watchdeck.domain.values.format import digits, format_duration, format_value
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Unit

REPEAT_INTERVAL = 30 * 60_000
"""Interval (ms) of messages about a severity 1 that nobody takes and that no escalation covers."""

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
    RETURNED = "returned"
    REPEATED = "repeated"
    ACK_EXPIRED = "ack_expired"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    SILENCED = "silenced"
    SILENCE_ENDED = "silence_ended"
    GAVE_UP = "gave_up"


class LastMessage(Struct, frozen=True):
    """The newest message about an episode that a channel got, or that waits for it.

    `people` are those on call to whom its messages were addressed.
    """

    kind: MessageKind
    people: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the receiver believes that the alert is over."""
        return self.kind is MessageKind.RESOLVED


LastMessages = Mapping[str, LastMessage]
"""The last message of each channel that had one about an episode."""


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


class _MessageSubject(Struct, frozen=True):
    """What a message is made from: a transition, the alert after it, and who knows what."""

    step: Transition
    active: ActiveAlert
    rule: Rule | None
    last: LastMessages

    @property
    def subject(self) -> str:
        return _subject(self.active, self.rule)


def messages_for(
    transition: Transition,
    active: ActiveAlert,
    rule: Rule | None = None,
    last: LastMessages | None = None,
) -> tuple[Message, ...]:
    """The messages for a transition, at most one.

    `active` is the alert after the transition, with the mutes of that time, but the acknowledgement
    from before it; `rule` is None for an external alert, and `last` are the messages that receivers
    had of the episode. The end of an alert is sent even while it is muted.
    """
    make = _MESSAGE_MAKERS.get(transition.verb)
    if make is None or (active.mutes and transition.verb is not AlertEvent.RESOLVED):
        return ()
    message = make(_MessageSubject(transition, active, rule, last or {}))
    return () if message is None else (message,)


def overdue_page(active: ActiveAlert, rule: Rule | None = None) -> tuple[Message, ...]:
    """The page not sent because of a mute, if the alert still fires; call it when a mute ends.

    For an alert that fired, and whose end is in doubt, it says so.
    """
    if active.episode.paged_at is not None or not _can_page(active):
        return ()
    if active.episode.condition is not AlertState.FIRING:
        return (_held_message(active, "", f"its end is in doubt: {_subject(active, rule)}"),)
    return (_make_message(MessageKind.PAGE, active, "", _subject(active, rule)),)


def returned_message(
    active: ActiveAlert, now: int, last: LastMessages, rule: Rule | None = None
) -> tuple[Message, ...]:
    """The message that an alert fires again whose end was told; empty when none is owed.

    It is owed at once, or at the end of a mute, and also of an acknowledged alert.
    """
    episode = active.episode
    is_believed_over = any(message.is_over for message in last.values())
    if not is_believed_over or not _is_unsettled(episode) or active.mutes:
        return ()
    words = [f"again, the {_ordinal(episode.reopened + 1)} time in {_age(episode, now)}"]
    if episode.data is DataState.NONE:
        words.append("no data now")
    if episode.flapping:
        words.append(_FLAPPING_TEXT)
    if active.acknowledgement:
        words.append(f"the acknowledgement of {active.acknowledgement.by} is restored")
    text = f"{'; '.join(words)}: {_subject(active, rule)}"
    return (_make_message(MessageKind.RETURNED, active, str(episode.reopened), text),)


def repeated_page(active: ActiveAlert, now: int, rule: Rule | None = None) -> tuple[Message, ...]:
    """The message, once in `REPEAT_INTERVAL`, of a severity 1 that nobody takes; else empty.

    Calls within one interval return the same message, by its key. An alert that flaps is not
    repeated: its messages would never end.
    """
    episode = active.episode
    if episode.severity is not Severity.CRITICAL or not _can_page(active) or episode.flapping:
        return ()
    paged_at = now if episode.paged_at is None else episode.paged_at
    times = (now - paged_at) // REPEAT_INTERVAL
    if times < 1:
        return ()
    text = f"nobody took it for {format_duration(now - paged_at)}: {_subject(active, rule)}"
    return (_make_message(MessageKind.REPEATED, active, f"{paged_at}/{times}", text),)


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


def silenced_message(
    active: ActiveAlert, silence: Silence, rule: Rule | None = None
) -> tuple[Message, ...]:
    """The message that somebody silenced an alert that fires and has no owner; empty otherwise."""
    if not active.episode.is_firing or active.acknowledgement is not None:
        return ()
    length = format_duration(silence.ends_at - silence.starts_at)
    text = f"{silence.by} silenced it for {length} ({silence.reason}): {_subject(active, rule)}"
    return (_make_message(MessageKind.SILENCED, active, str(silence.id), clean(text, MAX_TEXT)),)


def silence_ended_message(
    active: ActiveAlert, last: LastMessages, rule: Rule | None = None
) -> tuple[Message, ...]:
    """The message that an alert still fires after the silence that receivers were told of."""
    is_known = any(one.kind is MessageKind.SILENCED for one in last.values())
    if not is_known or not _can_page(active):
        return ()
    which = str(active.episode.muted_at)
    text = f"its silence ended, and it still fires: {_subject(active, rule)}"
    return (_make_message(MessageKind.SILENCE_ENDED, active, which, text),)


def _can_page(active: ActiveAlert) -> bool:
    """Whether an alert has a paging severity, is not settled, muted or acknowledged."""
    episode = active.episode
    is_quiet = active.mutes or active.acknowledgement is not None
    return _is_unsettled(episode) and episode.severity.is_paging and not is_quiet


def _is_unsettled(episode: Episode) -> bool:
    """Whether an episode fires, or clears without the data that would prove its end."""
    is_doubtful = episode.condition is AlertState.CLEARING and episode.data is DataState.NONE
    return episode.condition is AlertState.FIRING or is_doubtful


def _age(episode: Episode, now: int) -> str:
    return format_duration(max(0, now - episode.started_at))


def _ordinal(number: int) -> str:
    is_teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if is_teen else _ORDINAL_ENDINGS.get(number % 10, 'th')}"


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


def _page_message(context: _MessageSubject) -> Message:
    return _make_message(MessageKind.PAGE, context.active, "", context.subject)


def _worse_message(context: _MessageSubject) -> Message | None:
    active, step = context.active, context.step
    if not active.episode.is_firing:
        return None
    ack = active.acknowledgement
    than = f", worse than when {ack.by} acknowledged it" if ack else ""
    text = f"{step.why}{than}: {context.subject}"
    return _make_message(MessageKind.WORSE, active, str(step.at), text)


def _no_data_message(context: _MessageSubject) -> Message | None:
    """Make one message for a target: rules that miss data since the same sample share its key."""
    active, rule = context.active, context.rule
    ignored = rule is not None and rule.no_data is NoData.IGNORE
    if ignored or not active.episode.is_firing:
        return None
    was = f"{active.alert.rule} was {active.episode.condition.value}"
    message = _held_message(active, "", f"{context.step.why}; {was}")
    target = active.alert.model or active.alert.source
    return replace(message, dedup_key=f"watchdeck/{message.kind}/{target}/{active.episode.seen_at}")


def _doubted_end_message(context: _MessageSubject) -> Message | None:
    """Make a message that an end is in doubt, unless everybody who knows of it thinks it fires."""
    last = context.last.values()
    if not context.active.episode.is_firing or (last and not any(one.is_over for one in last)):
        return None
    text = f"its end is in doubt: {context.step.why}"
    return _held_message(context.active, str(context.step.at), text)


def _held_message(active: ActiveAlert, which: str, why: str) -> Message:
    target = active.alert.model or active.alert.source
    text = why if why.startswith(target) else f"{target}: {why}"
    return _make_message(MessageKind.NO_DATA, active, which, clean(text, MAX_TEXT))


def _flapping_message(context: _MessageSubject) -> Message | None:
    """Make the message of an alert that flaps; where its end was told, its return says it."""
    active = context.active
    if active.acknowledgement or any(one.is_over for one in context.last.values()):
        return None
    text = f"{_FLAPPING_TEXT}: {context.subject}"
    return _make_message(MessageKind.FLAPPING, active, str(active.episode.flapped_at), text)


def _returned_message(context: _MessageSubject) -> Message | None:
    found = returned_message(context.active, context.step.at, context.last, context.rule)
    return next(iter(found), None)


def _resolved_message(context: _MessageSubject) -> Message | None:
    episode, step = context.active.episode, context.step
    if episode.paged_at is None and not context.last:
        return None
    lasted = format_duration(step.at - episode.started_at)
    is_explained = episode.end_reason in (EndReason.MANUAL, EndReason.WITHDRAWN)
    reason = f" ({step.why})" if is_explained else ""
    course = _course(context) or summary(context.active.alert, episode)
    text = f"over after {lasted}{reason}: {course}"
    return _make_message(MessageKind.RESOLVED, context.active, str(episode.reopened), text)


def _course(context: _MessageSubject) -> str:
    """The worst and the newest figure of an alert, and its limit; empty when it has none."""
    alert, episode, rule = context.active.alert, context.active.episode, context.rule
    signal = getattr(rule.test, "signal", "") if rule else ""
    if rule is None or not signal or None in (episode.value, episode.peak, episode.limit):
        return ""
    was, now, limit = (
        _format_figure(rule, number) for number in (episode.peak, episode.value, episode.limit)
    )
    name = f"{signal} budget burn rate" if isinstance(rule.test, Burn) else signal
    figures = f"{name} was {was}, is {now}, limit {limit}"
    return clean(f"{alert.model}: {figures}" if alert.model else figures, MAX_TEXT)


_FLAPPING_TEXT = f"flapping; its end is told after {format_duration(CALM_QUIET)} of calm"

_ORDINAL_ENDINGS = {1: "st", 2: "nd", 3: "rd"}

_PAGING_KINDS = (
    MessageKind.PAGE,
    MessageKind.WORSE,
    MessageKind.NO_DATA,
    MessageKind.FLAPPING,
    MessageKind.RETURNED,
    MessageKind.ACK_EXPIRED,
    MessageKind.SILENCE_ENDED,
    MessageKind.REMINDER,
)

_ACKNOWLEDGEMENT_TEXTS = {
    MessageKind.ACKNOWLEDGED: (" has it", False),
    MessageKind.UNACKNOWLEDGED: (" gave it back", False),
    MessageKind.REMINDER: ("'s acknowledgement is about to expire", True),
    MessageKind.ACK_EXPIRED: ("'s acknowledgement expired", True),
}

_MESSAGE_MAKERS: dict[AlertEvent, Callable[[_MessageSubject], Message | None]] = {
    AlertEvent.FIRED: _page_message,
    AlertEvent.WORSE: _worse_message,
    AlertEvent.NO_DATA: _no_data_message,
    AlertEvent.HELD: _doubted_end_message,
    AlertEvent.REOPENED: _returned_message,
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
    known = {
        "model": alert.model,
        "rule": alert.rule,
        "severity": str(int(episode.severity)),
        "why": episode.why,
    }
    for name, number in (("value", episode.value), ("limit", episode.limit)):
        known[name] = _format_figure(rule, number)
    return {**alert.labels, **known}


def _format_figure(rule: Rule, number: float | None) -> str:
    """The value or the limit of an alert in the unit that its rule compares."""
    signal = SIGNALS.get(getattr(rule.test, "signal", ""))
    if isinstance(rule.test, Absent):
        return format_value(number, Unit.SECONDS)
    if signal is None or isinstance(rule.test, Burn):
        return "unknown" if number is None else digits(number)
    return format_value(number, signal.unit)
