"""The watchdog's own health as alerts: what would make all others late, lost or blind."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from msgspec import Struct

from watchdeck.domain.alerts.alert import OURS, Alert
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.notifications.outbox import OutboxRow
from watchdeck.domain.rules.labels import alert_labels
from watchdeck.domain.rules.rule import Rule, RuleFamily, Unsupported
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.severity import Severity
from watchdeck.engine.rules.conditions import Measurement, ScrapeValues
from watchdeck.engine.rules.target import RuleState, Target
from watchdeck.store.alerts.outbox import Backlog, backlog, lost_since
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.latest import read_heartbeat

EVERY = 10_000
"""Milliseconds between two looks at oneself."""

LOST_FOR = 3_600_000
"""Milliseconds for which a message that was given up is told of."""

_LATE = 5.0
"""Seconds by which a scrape may begin late."""

_UNSTORED = 30_000
"""Milliseconds without a heartbeat in the store: nothing else is written either."""

_UNSENT = 300_000
"""Milliseconds that a message may wait for its channel."""

_NEVER = 1 << 62
_NOTHING_WAITS = Backlog(0, None)


class CollectorVitals(Struct):
    """What the collector knows of itself: its last stored word, and the state of its outbox.

    What was said before `since` (ms UTC) was another's word, or is of before a long sleep.
    """

    since: int = 0
    beat: CollectorStatus | None = None
    blind: str = ""
    backlog: Backlog = _NOTHING_WAITS
    lost: tuple[OutboxRow, ...] = ()

    @property
    def said(self) -> CollectorStatus | None:
        """The last stored word that counts."""
        return self.beat if self.beat and self.beat.at >= self.since else None


VitalsReader = Callable[[CollectorVitals, int], tuple[bool | None, Measurement]]


class SelfCheck(Struct, frozen=True):
    """A check of ourselves: it reads vitals, and no scrape."""

    vitals: CollectorVitals
    read: VitalsReader

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether something is wrong; None where it is not known."""
        return self.read(self.vitals, now)[0]

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """What is wrong, or that nothing is."""
        return self.read(self.vitals, now)[1]


def _late(vitals: CollectorVitals, _: int) -> tuple[bool | None, Measurement]:
    if vitals.said is None:
        return None, Measurement(None, _LATE, "no word of the collector yet")
    lag = vitals.said.lag
    return lag > _LATE, Measurement(
        lag, _LATE, f"scrapes begin {format_duration(round(1_000 * lag))} late"
    )


def _unstored(vitals: CollectorVitals, now: int) -> tuple[bool | None, Measurement]:
    said = vitals.said
    quiet = now - (said.at if said else vitals.since)
    words = (
        f"nothing was stored for {format_duration(quiet)}"
        if quiet > _UNSTORED
        else "scrapes are stored"
    )
    problem = said.storing if said else ""
    wrong = quiet > _UNSTORED or bool(problem)
    return wrong, Measurement(quiet / 1_000, _UNSTORED / 1_000, problem or words)


def _blind(vitals: CollectorVitals, _: int) -> tuple[bool | None, Measurement]:
    return bool(vitals.blind), Measurement(None, None, vitals.blind or "models can be reached")


def _unsent(vitals: CollectorVitals, now: int) -> tuple[bool | None, Measurement]:
    since, waiting = vitals.backlog.since, vitals.backlog.waiting
    waited = 0 if since is None else now - since
    words = (
        f"{waiting} messages wait, the oldest for {format_duration(waited)}"
        if waiting
        else "all is told"
    )
    return waited > _UNSENT, Measurement(waited / 1_000, _UNSENT / 1_000, words)


def _lost(vitals: CollectorVitals, _: int) -> tuple[bool | None, Measurement]:
    if not vitals.lost:
        return False, Measurement(0.0, 0.0, "no message was given up")
    channels = ", ".join(sorted({one.channel for one in vitals.lost}))
    words = f"messages to {channels} were given up: {vitals.lost[-1].last_error}"
    return True, Measurement(float(len(vitals.lost)), 0.0, words)


def _rule(name: str, when: str, severity: Severity, hold: int = 0) -> Rule:
    test = Unsupported("own", (), when)
    return Rule(name, when, test, severity, hold, 2 * EVERY, family=RuleFamily.FAILURE, group_by=())


_SIGNS: tuple[tuple[Rule, VitalsReader], ...] = (
    (_rule("collector-late", "scrapes begin over 5s late for 1m", Severity.MEDIUM, 60_000), _late),
    (_rule("store-unwritten", "nothing is stored for 30s", Severity.CRITICAL), _unstored),
    (_rule("collector-blind", "nothing is reached for 1m", Severity.CRITICAL, 60_000), _blind),
    (_rule("messages-wait", "a message waits for over 5m", Severity.HIGH), _unsent),
    (_rule("messages-lost", "a message was given up within 1h", Severity.HIGH), _lost),
)

RULES = tuple(rule for rule, _ in _SIGNS)
"""What is told of ourselves, without a line of configuration."""


class SelfMonitor:
    """The collector as one more that is watched: without a name, as no model is meant."""

    def __init__(self) -> None:
        self._vitals = CollectorVitals()
        self.watched = Target(EndpointFacts("", "", EVERY), None, patience=_NEVER, recalled=True)
        self.watched.judged = tuple(
            self._state(rule, SelfCheck(self._vitals, read)) for rule, read in _SIGNS
        )

    def _state(self, rule: Rule, check: SelfCheck) -> RuleState:
        return RuleState(
            *(rule, check, check.truth, EVERY, _alert(rule)),
            timed=False,
            fires_on_silence=False,
            live=self.watched.live,
        )

    def wake(self, now: int) -> None:
        """Go on after nobody collected, or the clock was set: what was said before is old."""
        self._vitals.since = now

    def look(
        self, metrics: Connection, state: Connection, now: int, blind: str
    ) -> ScrapeValues | None:
        """How things are at `now` (ms UTC); None when it is too soon to look again."""
        before = self.watched.sample
        if before is not None and 0 <= now - before.at < EVERY:
            return None
        vitals = self._vitals
        vitals.since = vitals.since or now
        vitals.beat, vitals.blind = read_heartbeat(metrics), blind
        vitals.backlog, vitals.lost = backlog(state, now), lost_since(state, now - LOST_FOR)
        self.watched.take(ScrapeValues(now, array("d"), {}))
        return self.watched.sample


def _alert(rule: Rule) -> Alert:
    return Alert(0, OURS, f"{rule.name}/", rule.name, "", alert_labels(rule, {}))
