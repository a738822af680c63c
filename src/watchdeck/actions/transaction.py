"""The transaction of an action on alerts, with its audit rows and its notifications."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from msgspec import Struct, field

from watchdeck.actions.actor import Actor
from watchdeck.domain.alerts.acknowledgement import Refusal
from watchdeck.domain.alerts.alert import UNDO_WINDOW, ActiveAlert
from watchdeck.domain.notifications.grouping import GROUP_WINDOW, group_windows
from watchdeck.domain.notifications.message import LastMessages, Message
from watchdeck.domain.notifications.routing import AlertContext, Routing, route
from watchdeck.errors import WatchdeckError
from watchdeck.store.alerts.acknowledgements import read_live_acknowledgement
from watchdeck.store.alerts.episodes import read_episode
from watchdeck.store.alerts.outbox import enqueue, read_last_messages, read_recent_groups
from watchdeck.store.files.connection import Connection, open_writable, store_errors, transaction
from watchdeck.store.state.audit import append_audit


class AlertError(WatchdeckError):
    """An action on an alert that cannot be done."""

    exit_code = 1


class ActionResult(Struct, frozen=True):
    """The result of an action.

    Attributes:
        words: A sentence for the operator.
        affected: The numbers of the episodes, silences or known issues that it changed.
        refusals: One reason for each alert that it left unchanged.
        undo: The numbers of its audit rows, which `UndoRequest` needs.
    """

    words: str
    affected: tuple[int, ...] = ()
    refusals: tuple[str, ...] = ()
    undo: tuple[int, ...] = ()


class ActionTransaction(Struct):
    """A running action; collects the numbers it changed, its refusals and its audit rows."""

    db: Connection
    actor: Actor
    now: int
    affected: list[int] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    audited: list[int] = field(default_factory=list)

    def read_alert(self, number: int) -> ActiveAlert | None:
        """The episode `number` with its alert; None, and a recorded refusal, if there is none."""
        found = read_episode(self.db, number)
        if found is None:
            self.refusals.append(f"episode {number} does not exist")
            return None
        episode, alert = found
        return ActiveAlert(alert, episode, read_live_acknowledgement(self.db, number))

    def read_alerts(self, numbers: Iterable[int]) -> Iterator[ActiveAlert]:
        """Yield each episode once, in order; a missing one is left out, and becomes a refusal."""
        found = map(self.read_alert, dict.fromkeys(numbers))
        return (alert for alert in found if alert is not None)

    def refuse(self, alert: ActiveAlert, why: Refusal | str) -> None:
        """Record the reason why an alert stays unchanged."""
        reason = why.why if isinstance(why, Refusal) else why
        self.refusals.append(f"{alert_label(alert)}: {reason}")

    def audit(
        self,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Append one row to the audit, with the subject before and after the action."""
        head = append_audit(self.db, self.now, self.actor.who, action, subject, before, after)
        self.audited.append(head.rows)

    def last_messages(self, alert: ActiveAlert) -> LastMessages:
        """The last message about an alert of each channel that had one."""
        return read_last_messages(self.db, alert.episode.id)

    def notify(
        self, messages: Iterable[Message], alert: ActiveAlert, to: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Queue messages for the channels in `to`, by default those that had one of this alert.

        They are sent when the action can no longer be undone. Returns their keys for the audit row,
        by which an undo finds and cancels the messages.
        """
        last = self.last_messages(alert)
        windows = group_windows(read_recent_groups(self.db, self.now - GROUP_WINDOW))
        keys = []
        for message in messages:
            rows = route(
                *(
                    message,
                    AlertContext(alert, last=last),
                    self.actor.routing or Routing(),
                    self.now,
                    windows,
                ),
                to=to,
                not_before=self.now + UNDO_WINDOW,
            )
            enqueue(self.db, rows, self.now)
            keys.append(message.dedup_key)
        return {"told": keys}

    def finish(self, words: str) -> ActionResult:
        """The result of the action, in `words` if it changed anything, else as `not done`.

        The first refusal is added to the text.
        """
        refusals = tuple(self.refusals)
        text = words if self.affected else "not done"
        if refusals and self.affected:
            text = f"{text}; {len(refusals)} not: {refusals[0]}"
        elif refusals:
            more = f" ({len(refusals) - 1} more)" if len(refusals) > 1 else ""
            text = f"{text}: {refusals[0]}{more}"
        return ActionResult(text, tuple(self.affected), refusals, tuple(self.audited))


@contextmanager
def action_transaction(actor: Actor, now: int) -> Iterator[ActionTransaction]:
    """Context manager: an action in one transaction of state.db, stored as a whole or not."""
    path = actor.directory.state
    with closing(open_writable(path)) as db, store_errors(path), transaction(db):
        yield ActionTransaction(db, actor, now)


def alert_label(alert: ActiveAlert) -> str:
    """The name of an alert in a sentence: `slow of fraud` (rule and model)."""
    rule, model = alert.alert.rule, alert.alert.model
    return f"{rule} of {model}" if model else rule


def alert_labels(alerts: list[ActiveAlert]) -> str:
    """The name of alerts in a sentence: `slow of fraud` for one, `3 alerts` for several."""
    return alert_label(alerts[0]) if len(alerts) == 1 else f"{len(alerts)} alerts"
