"""Rules: when a model is in trouble, how severe the trouble is, and which labels its alert has."""

from enum import IntEnum, StrEnum

from msgspec import Struct, field

from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.matcher import Matcher


class Severity(IntEnum):
    """How bad an alert is, 1 the worst; 1 and 2 page somebody, 3 and 4 are notices."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4

    @property
    def is_paging(self) -> bool:
        """Whether an alert of this severity pages somebody."""
        return self <= Severity.HIGH


class RuleFamily(StrEnum):
    """The kind of trouble a rule looks for."""

    PERFORMANCE = "performance degradation"
    RESOURCES = "resource constraints"
    QUALITY = "data quality"
    FAILURE = "system failures"


class NoData(StrEnum):
    """What a rule does when its model sends no data; no policy resolves an alert without data."""

    HOLD = "hold"
    """The alert stays as it was, and one alert notifies of the silence of the whole model."""
    FIRE = "fire"
    """Missing data counts as trouble: the rule fires."""
    IGNORE = "ignore"
    """The alert stays as it was, and nobody is notified."""


class Aggregate(StrEnum):
    """How a window of samples becomes one number."""

    LAST = "last"
    """The newest sample alone."""
    MEAN = "avg"
    """The mean of the window; what `over` alone means."""
    LEAST = "min"
    """The least sample of the window."""
    MOST = "max"
    """The greatest sample of the window."""


class Limit(Struct, frozen=True):
    """A limit: the fixed `value`, or where `promises` is set, that multiple of the model's SLO.

    For availability the multiple applies to the error budget: twice 99.9 % is 99.8 %.
    """

    value: float = 0.0
    promises: float | None = None


class Threshold(Struct, frozen=True):
    """A signal above or below a limit; with `clear`, it stays true until back past `clear`.

    `window` is in ms; 0 uses the newest sample alone.
    """

    signal: str
    above: bool
    limit: Limit
    clear: Limit | None = None
    aggregate: Aggregate = Aggregate.LAST
    window: int = 0


class BurnRateWindows(Struct, frozen=True):
    """A pair of windows (ms): the error budget must burn faster than `factor` in both.

    The short window ends the alert soon after the trouble ends.
    """

    long: int
    short: int
    factor: float


FAST: tuple[BurnRateWindows, ...] = (
    BurnRateWindows(3_600_000, 300_000, 14.4),
    BurnRateWindows(21_600_000, 1_800_000, 6.0),
)
"""True once 2 % (first pair) or 5 % (second pair) of a month's budget is gone: worth a page."""

SLOW: tuple[BurnRateWindows, ...] = (
    BurnRateWindows(86_400_000, 7_200_000, 3.0),
    BurnRateWindows(259_200_000, 21_600_000, 1.0),
)
"""True once 10 % of a month's budget is gone: worth a notice."""


class Burn(Struct, frozen=True):
    """The error budget of an SLO burns too fast in both windows of at least one pair.

    `signal` is `availability` (by probes) or `error_ratio` (by requests).
    """

    signal: str
    pairs: tuple[BurnRateWindows, ...]


class Absent(Struct, frozen=True):
    """No fresh sample for `after` ms; 0 means three scrape intervals of the model."""

    after: int = 0


class FailedScrapes(Struct, frozen=True):
    """`failures` failed scrapes in a row, or the model itself reports that it is not ready."""

    failures: int = 2


SEASON_DAYS = 7
"""Days of history without which no season is known: that of a day shows on seven alike days."""


class Anomaly(Struct, frozen=True):
    """A signal far from its baseline, by the two-speed robust rule of `domain.rules.anomaly`.

    True when one point is more than `high` deviations out, or when both the mean of an hour and
    that of a quarter of an hour are more than `low` out. `above` is None when both sides count.
    `seasonal` compares with the same hour of other days, where `SEASON_DAYS` days or more show a
    season.
    """

    signal: str
    above: bool | None = None
    high: float = 6.0
    low: float = 1.75
    seasonal: bool = False


class WeekBefore(Struct, frozen=True):
    """The mean of a window (ms) is above, or below, `ratio` times the mean one week before."""

    signal: str
    above: bool
    ratio: float
    window: int = 3_600_000


class Unsupported(Struct, frozen=True):
    """A test of signals that watchdeck does not measure yet; its rule is listed as waiting.

    `text` is the condition as written.
    """

    kind: str
    signals: tuple[str, ...]
    text: str = ""


Test = Threshold | Burn | Absent | FailedScrapes | Anomaly | WeekBefore | Unsupported


class Rule(Struct, frozen=True):
    """One alerting rule; times in ms."""

    name: str
    when: str
    """The condition as written."""
    test: Test
    """The condition as evaluated."""
    severity: Severity = Severity.MEDIUM
    hold: int = 0
    """How long the test must be true on samples before the alert fires."""
    resolve_for: int = 60_000
    """How long the test must be false on fresh samples before the alert resolves."""
    min_samples: int = 1
    no_data: NoData = NoData.HOLD
    no_data_after: int = 0
    """Silence after which `no_data` applies; 0 means three scrape intervals."""
    match: tuple[Matcher, ...] = ()
    """The models the rule applies to, by the labels of `labels_of`."""
    labels: dict[str, str] = field(default_factory=dict)
    family: RuleFamily = RuleFamily.PERFORMANCE
    playbook: str = ""
    runbook: str = ""
    message: str = ""
    """Text of the alert; may contain `{model}`, `{value}`, `{limit}` and any label."""
    group_by: tuple[str, ...] = ("owner",)
    """Labels by which alerts are grouped: those with equal values share a notification."""
    enabled: bool = True
    origin: str = ""
    """The file that defines the rule."""


LABELS = {
    "model": "Name of the endpoint.",
    "kind": "Kind of server, once it is known.",
    "owner": "Team or person to call; a rule may set another.",
    "tier": "Importance of the model; a rule may set another.",
    "rule": "Name of the rule; of an external alert, its `alertname`.",
    "family": "Kind of trouble that the rule looks for.",
    "playbook": "Playbook of the rule.",
    "signal": "Signal that the rule compares.",
    "severity": "1 to 4, 1 the worst.",
    "source": "`watchdeck`, or the name of the system that reported the alert.",
}
"""The labels that watchdeck sets, with their meanings: the first four on models, all on alerts."""

RESERVED_LABELS = tuple(name for name in LABELS if name not in ("owner", "tier"))
"""Labels that a rule cannot set."""


def labels_of(facts: EndpointFacts, kind: str | None = None) -> dict[str, str]:
    """The labels of a model: those of the configuration, then `model`, `kind`, `owner` and `tier`.

    The last four win over configured labels of the same name; an unknown one is left out. `model`
    is the endpoint's name.
    """
    known = {
        "model": facts.name,
        "kind": kind,
        "owner": facts.owner,
        "tier": None if facts.tier is None else str(facts.tier),
    }
    return {**facts.labels, **{name: value for name, value in known.items() if value}}


def alert_labels(rule: Rule, model: dict[str, str]) -> dict[str, str]:
    """The labels of a rule's alert about a model; the rule's labels win over the model's.

    Severity is not among them, because it changes during an alert: routing adds it when matching.
    """
    known = {
        "rule": rule.name,
        "family": rule.family.value,
        "playbook": rule.playbook,
        "signal": getattr(rule.test, "signal", ""),
    }
    known = {name: value for name, value in known.items() if value}
    return {**model, **rule.labels, **known, "model": model.get("model", "")}
