"""Self-monitoring: alerts about the collector itself, whose faults would hide all other alerts."""

from array import array
from collections.abc import Callable

from msgspec import Struct

from watchdeck.domain.alerts.alert import OURS, Alert
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.notifications.outbox import OutboxRow
from watchdeck.domain.rules.rule import Rule, RuleFamily, Severity, Unsupported, alert_labels
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.format import format_duration
from watchdeck.engine.rules.conditions import Measurement, ScrapeValues
from watchdeck.engine.rules.target import RuleState, Target
from watchdeck.store.alerts.outbox import Backlog, read_backlog, read_given_up
from watchdeck.store.files.connection import Connection
from watchdeck.store.metrics.latest import read_heartbeat

CHECK_INTERVAL = 10_000
"""Milliseconds between two self-checks."""

LOST_FOR = 3_600_000
"""Milliseconds for which a message that was given up keeps the alert `messages-lost` firing."""

MAX_LAG = 5.0
"""Seconds by which scrapes may start late without an alert."""

_MAX_UNSTORED = 30_000
"""Milliseconds without a stored heartbeat after which the store counts as not written."""

_MAX_UNSENT = 300_000
"""Milliseconds for which a due message may wait without an alert."""

_NEVER = 1 << 62
_NOTHING_WAITS = Backlog(0, None)


class CollectorHealth(Struct):
    """The inputs of the self-checks: the last stored heartbeat, the network and the outbox."""

    since: int = 0
    """Heartbeats before this time (ms UTC) do not count: they precede a start or a pause."""
    newest: CollectorStatus | None = None
    """The last stored heartbeat, however old."""
    blind: str = ""
    """Why the collector reaches no endpoint; empty when it reaches some."""
    backlog: Backlog = _NOTHING_WAITS
    lost: tuple[OutboxRow, ...] = ()
    """Messages that were given up within LOST_FOR."""

    @property
    def heartbeat(self) -> CollectorStatus | None:
        """The last heartbeat that the collector stored; None if there is none since `since`."""
        return self.newest if self.newest and self.newest.at >= self.since else None


HealthCheck = Callable[[CollectorHealth, int], tuple[bool | None, Measurement]]


class SelfCheck(Struct, frozen=True):
    """A self-check as a condition: it reads the collector's health instead of a scrape."""

    health: CollectorHealth
    check: HealthCheck

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether the check finds a problem; None when unknown."""
        return self.check(self.health, now)[0]

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The measured value and its limit; the text names the problem, or says all is well."""
        return self.check(self.health, now)[1]


def _check_lag(health: CollectorHealth, _: int) -> tuple[bool | None, Measurement]:
    if health.heartbeat is None:
        return None, Measurement(None, MAX_LAG, "no heartbeat of the collector yet")
    lag = health.heartbeat.lag
    return lag > MAX_LAG, Measurement(
        lag, MAX_LAG, f"scrapes begin {format_duration(round(1_000 * lag))} late"
    )


def _check_storage(health: CollectorHealth, now: int) -> tuple[bool | None, Measurement]:
    heartbeat = health.heartbeat
    quiet = now - (heartbeat.at if heartbeat else health.since)
    words = (
        f"nothing was stored for {format_duration(quiet)}"
        if quiet > _MAX_UNSTORED
        else "scrapes are stored"
    )
    problem = heartbeat.storing if heartbeat else ""
    wrong = quiet > _MAX_UNSTORED or bool(problem)
    return wrong, Measurement(quiet / 1_000, _MAX_UNSTORED / 1_000, problem or words)


def _check_network(health: CollectorHealth, _: int) -> tuple[bool | None, Measurement]:
    return bool(health.blind), Measurement(None, None, health.blind or "models can be reached")


def _check_backlog(health: CollectorHealth, now: int) -> tuple[bool | None, Measurement]:
    since, waiting = health.backlog.since, health.backlog.waiting
    waited = 0 if since is None else now - since
    words = (
        f"{waiting} messages wait, the oldest for {format_duration(waited)}"
        if waiting
        else "all is told"
    )
    return waited > _MAX_UNSENT, Measurement(waited / 1_000, _MAX_UNSENT / 1_000, words)


def _check_lost(health: CollectorHealth, _: int) -> tuple[bool | None, Measurement]:
    if not health.lost:
        return False, Measurement(0.0, 0.0, "no message was given up")
    channels = ", ".join(sorted({one.channel for one in health.lost}))
    words = f"messages to {channels} were given up: {health.lost[-1].last_error}"
    return True, Measurement(float(len(health.lost)), 0.0, words)


def _check_faults(health: CollectorHealth, _: int) -> tuple[bool | None, Measurement]:
    heartbeat = health.heartbeat
    if heartbeat is None:
        return None, Measurement(None, None, "no heartbeat of the collector yet")
    words = heartbeat.faults or "every loop of the collector works"
    return bool(heartbeat.faults), Measurement(None, None, words)


def _rule(name: str, when: str, severity: Severity, hold: int = 0) -> Rule:
    test = Unsupported("own", (), when)
    return Rule(
        name, when, test, severity, hold, 2 * CHECK_INTERVAL, family=RuleFamily.FAILURE, group_by=()
    )


_CHECKS: tuple[tuple[Rule, HealthCheck], ...] = (
    (
        _rule("collector-late", "scrapes begin over 5s late for 1m", Severity.MEDIUM, 60_000),
        _check_lag,
    ),
    (_rule("store-unwritten", "nothing is stored for 30s", Severity.CRITICAL), _check_storage),
    (
        _rule("collector-blind", "nothing is reached for 1m", Severity.CRITICAL, 60_000),
        _check_network,
    ),
    (
        _rule("collector-faults", "a loop fails three times in a row", Severity.HIGH),
        _check_faults,
    ),
    (_rule("messages-wait", "a message waits for over 5m", Severity.HIGH), _check_backlog),
    (_rule("messages-lost", "a message was given up within 1h", Severity.HIGH), _check_lost),
)

SELF_RULES = tuple(rule for rule, _ in _CHECKS)
"""The rules on the collector itself, which need no configuration."""


class SelfMonitor:
    """Watches the collector, as a rule target whose name is empty since it is not a model."""

    def __init__(self) -> None:
        self._health = CollectorHealth()
        self.target = Target(
            EndpointFacts("", "", CHECK_INTERVAL),
            None,
            silence_limit=_NEVER,
            baselines_restored=True,
        )
        self.target.rule_states = tuple(
            self._state(rule, SelfCheck(self._health, read)) for rule, read in _CHECKS
        )

    def _state(self, rule: Rule, check: SelfCheck) -> RuleState:
        return RuleState(
            *(rule, check, check.truth, CHECK_INTERVAL, _alert(rule)),
            depends_on_time=False,
            fires_on_no_data=False,
            open_states=self.target.open_states,
        )

    def resume(self, now: int) -> None:
        """Continue after a pause or a clock jump: ignore heartbeats from before `now` (ms UTC)."""
        self._health.since = now

    def check(
        self, metrics: Connection, state: Connection, now: int, blind: str
    ) -> ScrapeValues | None:
        """Read the inputs of the self-checks at `now` (ms UTC).

        Returns an empty sample to evaluate the rules with; None, and nothing is read, when the last
        check was less than CHECK_INTERVAL ago.
        """
        before = self.target.sample
        if before is not None and 0 <= now - before.at < CHECK_INTERVAL:
            return None
        health = self._health
        health.since = health.since or now
        health.newest, health.blind = read_heartbeat(metrics), blind
        health.backlog, health.lost = read_backlog(state, now), read_given_up(state, now - LOST_FOR)
        self.target.add_sample(ScrapeValues(now, array("d"), {}))
        return self.target.sample


def _alert(rule: Rule) -> Alert:
    return Alert(0, OURS, f"{rule.name}/", rule.name, "", alert_labels(rule, {}))
