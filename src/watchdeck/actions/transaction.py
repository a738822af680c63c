"""What every deed on alerts shares: one transaction, one audit row each, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from msgspec import Struct, field

from watchdeck.domain.alerts.acknowledgement import Refusal
from watchdeck.domain.alerts.alert import UNDO, ActiveAlert
from watchdeck.domain.notifications.grouping import WINDOW, group_windows
from watchdeck.domain.notifications.message import Message
from watchdeck.domain.notifications.routing import AlertContext, Routing, route
from watchdeck.domain.settings.receivers import CONSOLE
from watchdeck.domain.values.operator import Operator
from watchdeck.errors import WatchdeckError
from watchdeck.store.alerts.acknowledgements import read_acknowledgement
from watchdeck.store.alerts.episodes import read_episode
from watchdeck.store.alerts.outbox import enqueue, read_posted, recent_folds
from watchdeck.store.files.connection import Connection, faults, transaction, writing
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.audit import append


class AlertError(WatchdeckError):
    """Something that cannot be done to an alert."""

    exit_code = 1


class ActionResult(Struct, frozen=True):
    """What came of a deed, in words for whoever did it.

    `taken` are the episodes, silences or known issues that it was done to, `lost` says of each
    other one why not. `undo` are the numbers of its audit rows: what takes the deed back.
    """

    words: str
    taken: tuple[int, ...] = ()
    lost: tuple[str, ...] = ()
    undo: tuple[int, ...] = ()


class ActionTransaction(Struct):
    """A deed while it is done: what was entered in the audit, and what was refused."""

    db: Connection
    who: Operator
    now: int
    routing: Routing = field(default_factory=Routing)
    taken: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    entered: list[int] = field(default_factory=list)

    def raised(self, number: int) -> ActiveAlert | None:
        """An episode with its alert and whoever has it; None, and said, when there is none."""
        found = read_episode(self.db, number)
        if found is None:
            self.lost.append(f"episode {number}: there is none of this number")
            return None
        episode, alert = found
        return ActiveAlert(alert, episode, read_acknowledgement(self.db, number))

    def refuse(self, raised: ActiveAlert, why: Refusal | str) -> None:
        """Say why an alert is left as it is."""
        self.lost.append(f"{alert_label(raised)}: {why.why if isinstance(why, Refusal) else why}")

    def enter(
        self,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """One row of the audit: who did what to what."""
        self.entered.append(
            append(self.db, self.now, self.who, action, subject, before, after).rows
        )

    def tell(
        self, found: Iterable[Message], raised: ActiveAlert, to: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Tell those who were told of this alert, or others; not while it can be taken back.

        What is returned belongs into the audit: whoever takes the deed back takes that back too.
        """
        keys = []
        told = {row.channel for row in read_posted(self.db, raised.episode.id)} - {CONSOLE}
        windows = group_windows(recent_folds(self.db, self.now - WINDOW))
        for message in found:
            rows = route(
                message,
                AlertContext(raised),
                self.routing,
                self.now,
                windows,
                to=sorted(told) if to is None else to,
                not_before=self.now + UNDO,
            )
            enqueue(self.db, rows, self.now)
            keys.append(message.dedup_key)
        return {"told": keys}

    def done(self, words: str) -> ActionResult:
        """What came of it."""
        lost = tuple(self.lost)
        said = words if self.taken else "not done"
        more = f" ({len(lost) - 1} more)" if len(lost) > 1 else ""
        text = f"{said}: {lost[0]}{more}" if lost and not self.taken else said
        if lost and self.taken:
            text = f"{said}; {len(lost)} not: {lost[0]}"
        return ActionResult(text, tuple(self.taken), lost, tuple(self.entered))


@contextmanager
def action_transaction(
    directory: StoreDirectory, who: Operator, now: int, routing: Routing | None = None
) -> Iterator[ActionTransaction]:
    """A deed in one transaction of the state: all of it is kept, or nothing."""
    path = directory.state
    with closing(writing(path)) as db, faults(path), transaction(db):
        yield ActionTransaction(db, who, now, routing or Routing())


def alert_label(raised: ActiveAlert) -> str:
    """How an alert is called in a sentence."""
    alert = raised.alert
    return f"{alert.rule} of {alert.model}" if alert.model else alert.rule


def alert_labels(raised: list[ActiveAlert]) -> str:
    """How alerts are called in a sentence."""
    return alert_label(raised[0]) if len(raised) == 1 else f"{len(raised)} alerts"
