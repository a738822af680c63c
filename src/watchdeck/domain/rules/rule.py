"""Rules: when a model is in trouble, how bad that is, and what to do then."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.values.matcher import Matcher
from watchdeck.domain.values.severity import Severity


class RuleFamily(StrEnum):
    """What kind of trouble a rule looks for."""

    PERFORMANCE = "performance degradation"
    RESOURCES = "resource constraints"
    QUALITY = "data quality"
    FAILURE = "system failures"


class NoData(StrEnum):
    """What a rule does when its model says nothing: no policy lets silence resolve anything.

    `hold` keeps what was, and tells once for the whole model; `fire` takes silence for trouble;
    `ignore` keeps what was and tells nobody.
    """

    HOLD = "hold"
    FIRE = "fire"
    IGNORE = "ignore"


class Aggregate(StrEnum):
    """How a window of samples becomes one number."""

    LAST = "last"
    MEAN = "avg"
    LEAST = "min"
    MOST = "max"


class Limit(Struct, frozen=True):
    """A bound: `value` itself, or so many times (`promises`) what the model's SLO promises.

    Of a ratio that should be high (availability), a multiple is of what may be lost: twice 99.9 %
    is 99.8 %.
    """

    value: float = 0.0
    promises: float | None = None


class Threshold(Struct, frozen=True):
    """A signal over or under a limit; true until it is back past `clear`, where there is one.

    `window` (ms) is 0 where only the newest sample counts.
    """

    signal: str
    above: bool
    limit: Limit
    clear: Limit | None = None
    aggregate: Aggregate = Aggregate.LAST
    window: int = 0


class BurnRateWindows(Struct, frozen=True):
    """Two windows (ms) over which the budget must burn faster than `factor` for it to be true.

    The short one makes the alert end soon after the trouble does.
    """

    long: int
    short: int
    factor: float


FAST: tuple[BurnRateWindows, ...] = (
    BurnRateWindows(3_600_000, 300_000, 14.4),
    BurnRateWindows(21_600_000, 1_800_000, 6.0),
)
"""True once a fiftieth, or a twentieth, of a month's budget is gone: worth a page."""

SLOW: tuple[BurnRateWindows, ...] = (
    BurnRateWindows(86_400_000, 7_200_000, 3.0),
    BurnRateWindows(259_200_000, 21_600_000, 1.0),
)
"""True once a tenth of a month's budget is gone: worth a notice."""


class Burn(Struct, frozen=True):
    """The error budget of an SLO burns too fast in both windows of any pair.

    `signal` is `availability` (by probes) or `error_ratio` (by requests).
    """

    signal: str
    pairs: tuple[BurnRateWindows, ...]


class Absent(Struct, frozen=True):
    """No fresh sample for so long (ms); 0 means three intervals of the model."""

    after: int = 0


class FailedScrapes(Struct, frozen=True):
    """So many failed scrapes in a row, or the model itself says that it is not ready."""

    failures: int = 2


class Anomaly(Struct, frozen=True):
    """A signal far from how it usually is: the two-speed robust rule of `domain.anomaly`.

    True when one point is more than `high` deviations out, or when both the mean of an hour and
    that of a quarter of an hour are more than `low` out. `above` is None where both sides count.
    `seasonal` holds it against the same hour of other days, where the history shows that as usual.
    """

    signal: str
    above: bool | None = None
    high: float = 6.0
    low: float = 1.75
    seasonal: bool = False


class WeekBefore(Struct, frozen=True):
    """The mean of a window (ms) is over, or under, `ratio` times that of the week before."""

    signal: str
    above: bool
    ratio: float
    window: int = 3_600_000


class Unsupported(Struct, frozen=True):
    """A test of signals that nothing gives yet: listed as waiting, never silently off.

    `text` is the test as it was written.
    """

    kind: str
    signals: tuple[str, ...]
    text: str = ""


Test = Threshold | Burn | Absent | FailedScrapes | Anomaly | WeekBefore | Unsupported


class Rule(Struct, frozen=True):
    """One rule as it was written (`when`) and as it is judged (`test`); times in ms.

    `hold` is how long it must be true (observed, not guessed) before it fires, `resolve_for` how
    long it must be false on fresh samples before it is over; `no_data_after` is 0 for three
    intervals. `match` tells for which models it is, over the labels that `labels_of` gives them.
    `group_by` are labels whose alerts fold into one message. `message` may name `{model}`,
    `{value}`, `{limit}` and any label. `origin` is the file it stands in.
    """

    name: str
    when: str
    test: Test
    severity: Severity = Severity.MEDIUM
    hold: int = 0
    resolve_for: int = 60_000
    min_samples: int = 1
    no_data: NoData = NoData.HOLD
    no_data_after: int = 0
    match: tuple[Matcher, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    family: RuleFamily = RuleFamily.PERFORMANCE
    playbook: str = ""
    runbook: str = ""
    message: str = ""
    group_by: tuple[str, ...] = ("owner",)
    enabled: bool = True
    origin: str = ""
